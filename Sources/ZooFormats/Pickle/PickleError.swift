/// Why a pickle can't be read.
public struct PickleError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case truncated(needed: Int, remaining: Int)
    case unknownOpcode(UInt8)
    case unsupportedProtocol(Int)
    /// An opcode that asks for a registry or buffers outside the file.
    case outsideReference(opcode: String)
    case stackUnderflow(opcode: String)
    case wrongType(opcode: String, found: String, expected: String)
    case missingMemo(index: Int)
    case badNumber
    case overLimit(what: String, limit: Int)
    case trailingBytes(count: Int)
  }

  public let file: String
  /// The zip's member that holds the pickle; nil when it stands in the file itself.
  public let member: String?
  /// From the start of the member, or of the file.
  public let offset: Int
  public let fault: Fault
}
