import ZooCheckpoint

/// Why a PyTorch file or one of its tensors can't be read.
public struct PyTorchError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case dangerousCallable(name: String)
    case noTensors(root: String)
    case malformed(what: String, found: String, expected: String)
    /// A kind of tensor that has no plain values: complex, quantized, sparse, meta.
    case unsupportedTensor(kind: String)
    case unknownStorage(className: String)
    case missingStorage(key: String)
    case storageSize(key: String, claimed: Int, found: Int)
    case outsideStorage(TensorError)
    case overLimit(what: String, limit: Int)
    case truncated(needed: Int, remaining: Int)
    case trailingBytes(count: Int)
    /// All tensors together, once written out.
    case expandsTooFar(bytes: Int, limit: Int)
  }

  public let file: String
  /// The tensor, record or byte offset concerned; nil for the file itself.
  public let place: String?
  public let fault: Fault
}
