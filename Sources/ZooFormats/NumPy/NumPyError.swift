/// How an array contradicts NumPy's format, or what it holds that no tensor can.
public struct NumPyError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case notAnArray(found: String)
    case version(Int)
    case headerTooLong(count: Int, limit: Int)
    case malformedHeader(offset: Int, problem: String)
    /// An array of Python objects, which is a pickle.
    case objects
    /// A type without plain values: complex, text, dates, records.
    case unsupportedType(String)
    case size(needed: Int, found: Int)
    case tooLarge(shape: [Int])
    case noTensors(arrays: Int)
  }

  public let file: String
  /// The array in an archive; nil for a file that is one.
  public let array: String?
  public let fault: Fault
}
