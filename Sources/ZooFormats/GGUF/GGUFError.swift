/// How a GGUF file contradicts its format.
public struct GGUFError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case version(UInt32)
    case bigEndian
    case truncated(needed: Int, remaining: Int)
    /// More metadata or tensors than the rest of the file can hold.
    case count(what: String, found: UInt64, possible: Int)
    case valueType(UInt32)
    case nestedTooDeeply
    case notUTF8
    case duplicate(String)
    case alignment(UInt64)
    case dimensions(UInt32)
    case tooLarge
    case blockSize(row: Int, block: Int)
    case misaligned(offset: UInt64, alignment: Int)
    case outside(offset: UInt64, count: Int, size: Int)
    case overlap(with: String)
    /// Tensors of quantisations that aren't read, by the quantisation's name.
    case quantisations([String: [String]])
    case noTensors
  }

  public let file: String
  /// The metadata key or the tensor concerned.
  public let name: String?
  public let offset: Int
  public let fault: Fault
}
