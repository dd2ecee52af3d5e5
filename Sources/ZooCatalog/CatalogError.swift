/// What is wrong with the catalogue, or with what was asked of it.
public enum CatalogError: Error, Sendable, Equatable {
  case unknownModel(name: String, nearest: [String])
  /// Nobody publishes weights for the model.
  case noWeights(model: String)
  case unknownWeights(model: String, id: String, known: [String])
  /// The store has no weights of that name.
  case notInStore(name: String, installed: [String])
  /// A model or weights whose name can't be a file's.
  case badStoreName(name: String)
  /// Nothing in the catalogue fits what was asked for.
  case noMatch(pattern: String?, task: String?, tasks: [String])
  /// A data file that can't be read as what it should be.
  case badFile(file: String, problem: String)
  /// A folder given as a catalogue that holds none of `zoo`, `converters`, `checksums`.
  case noCatalog(folder: String)
  /// A network description out of a checkpoint that can't be read.
  case badDescription(problem: String)
  /// Two tensors would get one name.
  case nameCollision(map: String, name: String, first: String, second: String)
  case badTransform(map: String, tensor: String, transform: String, shape: [Int])
  /// Two tensors that are one in the network, and that the file has different values for.
  case untied(alias: String, name: String)
  case notInvertible(map: String, rule: String)
  /// A tensor that the naming leaves out, because it should be `value` all over.
  case notConstant(map: String, tensor: String, value: Float)
}
