import ZooCheckpoint

/// A dataset that nobody ever wrote to: one value all over, made when it is asked for.
final class HDF5FilledStorage: ByteStorage {
  let count: Int
  private let fill: [UInt8]?

  /// - Parameter fill: bytes of an element; nil for zero.
  init(_ count: Int, fill: [UInt8]?) {
    self.count = count
    self.fill = fill
  }

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try Self.bytes(count, fill: fill).withUnsafeBytes(body)
  }

  static func bytes(_ count: Int, fill: [UInt8]?) -> [UInt8] {
    guard let fill, !fill.isEmpty, fill.contains(where: { $0 != 0 }) else { return [UInt8](repeating: 0, count: count) }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count { buffer[index] = fill[index % fill.count] }
      initialized = count
    }
  }
}
