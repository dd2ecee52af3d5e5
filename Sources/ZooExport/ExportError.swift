import ZooCheckpoint

/// Why weights can't be written for a framework.
public enum ExportError: Error, Sendable, Equatable {
  case targetNotWritten(target: ExportTarget)
  case outputIsInput(file: String)
  /// Only networks of the catalogue can be written so.
  case unknownNetwork(file: String, target: ExportTarget)
  /// An operation that is not written yet, such as a text network's.
  case operation(node: String, target: ExportTarget)
  /// A network can only be written whole.
  case missingTensor(file: String, tensor: String)
  /// The format has no room for what the tensor is.
  case tensor(file: String, tensor: String, target: ExportTarget, problem: String, advice: String?)
}
