/// CRC-32 of Castagnoli's polynomial, as LevelDB and TensorFlow store it.
package struct CRC32C {
  private var state: UInt32 = .max
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    state = Self.table.withUnsafeBufferPointer { table in
      bytes.reduce(state) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }
  }

  /// Rotated and moved, so that a checksum of checksums is sound.
  package var masked: UInt32 {
    let value = ~state
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }

  package static func masked(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = CRC32C()
    checksum.update(bytes)
    return checksum.masked
  }
}
