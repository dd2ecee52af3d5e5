import ZooCheckpoint

/// Numbers packed one varint each, of which the low bytes count: half precision as bits, small integers, booleans.
final class ONNXPackedNumbers: ByteStorage {
  let count: Int
  private let packed: MappedStorage
  private let size: Int
  private let name: String

  /// - Parameters:
  ///   - size: bytes of each number that count.
  ///   - count: of numbers.
  /// - Throws: ``ONNXError`` where there are more or fewer.
  init(_ packed: MappedStorage, size: Int, count: Int, name: String) throws {
    self.packed = packed
    self.name = name
    self.size = size
    self.count = count * size
    // Each number ends with the one byte whose top bit is clear.
    let found = try packed.withBytes { bytes in
      var found = 0
      for byte in bytes where byte < 0x80 { found += 1 }
      return found
    }
    guard found == count else {
      throw ONNXError(
        file: packed.file.path, place: name, fault: .dataSize(found: found * size, needed: count * size))
    }
  }

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      try packed.withBytes { source in
        var (value, shift, written) = (UInt64(0), UInt64(0), 0)
        for byte in source {
          guard shift < 64 else { throw ONNXError(file: packed.file.path, place: name, fault: .badNumbers) }
          value |= UInt64(byte & 0x7F) << shift
          shift += 7
          if byte >= 0x80 { continue }
          for place in 0..<size { target[written + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) }
          written += size
          (value, shift) = (0, 0)
        }
        initialized = written
      }
    }
    return try bytes.withUnsafeBytes(body)
  }
}
