/// Bytes that tensors are views of: a range of a mapped file, memory, or something made on demand.
public protocol ByteStorage: Sendable, AnyObject {
  /// Size in bytes.
  var count: Int { get }
  /// Where the bytes stand unchanged in a file, so that they can be copied inside the kernel; nil when they don't.
  var fileRange: (file: MappedFile, offset: Int)? { get }
  /// Calls `body` with all the bytes; they are valid only during the call.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
}

/// A range of a mapped file.
public final class MappedStorage: ByteStorage {
  public let file: MappedFile
  public let offset: Int
  public let count: Int

  /// - Throws: ``FileError/outOfRange(file:offset:count:size:)``.
  public init(file: MappedFile, offset: Int, count: Int) throws {
    try file.withBytes(offset: offset, count: count) { _ in }
    self.file = file
    self.offset = offset
    self.count = count
  }

  public var fileRange: (file: MappedFile, offset: Int)? { (file, offset) }

  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try file.withBytes(offset: offset, count: count, body)
  }
}

/// Bytes held in memory.
public final class MemoryStorage: ByteStorage {
  private let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Holds a copy of the values, little-endian as this machine is.
  public convenience init<T: BitwiseCopyable>(copying values: [T]) {
    self.init(values.withUnsafeBytes { [UInt8]($0) })
  }

  public var count: Int { bytes.count }
  public var fileRange: (file: MappedFile, offset: Int)? { nil }

  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try bytes.withUnsafeBytes(body)
  }
}
