/// Why an adapter can't be read, or isn't one for a model.
public enum AdapterError: Error, Sendable, Equatable {
  /// The folder lacks one of its two files.
  case missing(folder: String, file: String)
  case badConfig(file: String, problem: String)
  /// Another method than LoRA, or a form of it that changes more than `B A`.
  case unsupported(file: String, field: String, value: String, expected: String)
  /// A tensor that no parameter of the model answers to.
  case noSuchParameter(file: String, tensor: String, model: String)
  case shape(file: String, tensor: String, expected: [Int], found: [Int])
  case rank(file: String, tensor: String, stated: Int, found: Int)
  /// One of two factors.
  case lonelyFactor(file: String, tensor: String, missing: String)
  /// Nothing of low rank is in the file.
  case noFactors(file: String)
  /// The adapter belongs to other weights.
  case otherBase(file: String, model: String, what: String, expected: String, found: String)
  /// A parameter that neither the model nor the adapter has.
  case missingParameter(file: String, model: String, name: String)
}
