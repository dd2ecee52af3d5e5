/// How a zip archive contradicts itself, or what it does that no weight file needs.
public struct ZipError: Error, Sendable, Equatable {
  public enum Fault: Sendable, Equatable {
    case noDirectory
    case ambiguousDirectory
    case directoryOutOfPlace(offset: Int, size: Int, end: Int)
    case severalDisks
    case leadingBytes(count: Int)
    case entryCount(found: Int, expected: Int)
    case badSignature(found: UInt32, expected: UInt32)
    case truncated(needed: Int, remaining: Int)
    case localDiffers(field: String, local: String, central: String)
    case encrypted
    case unsupportedMethod(Int)
    case unsafeName
    case duplicateName
    case overlap(with: String)
    case expandsTooFar(compressed: Int, size: Int)
    case storedSizeDiffers(compressed: Int, size: Int)
    case inflate(produced: Int, expected: Int)
    case checksum(found: UInt32, expected: UInt32)
  }

  public let file: String
  /// The member concerned; nil for the archive itself.
  public let entry: String?
  /// Byte offset in the file.
  public let offset: Int
  public let fault: Fault
}
