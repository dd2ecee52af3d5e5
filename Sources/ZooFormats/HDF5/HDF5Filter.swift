import CZlib

/// HDF5's own filters, by their registered numbers.
enum HDF5Filter: Int {
  case deflate = 1
  case shuffle = 2
  case fletcher32 = 3

  /// What the bytes were before the filter; nil where they are damaged or unpack to more than `unpacked` bytes.
  func undo(_ bytes: [UInt8], elementSize: Int, unpacked: Int) -> [UInt8]? {
    switch self {
    case .deflate:
      var produced = 0
      let result = [UInt8](unsafeUninitializedCapacity: unpacked) { buffer, initialized in
        produced = bytes.withUnsafeBytes {
          inflateStream($0, into: UnsafeMutableRawBufferPointer(buffer), windowBits: MAX_WBITS, allowsShorter: true)
        }
        initialized = min(max(produced, 0), unpacked)
      }
      return produced >= 0 && produced <= unpacked ? result : nil
    case .shuffle: return Self.unshuffle(bytes, elementSize)
    case .fletcher32:
      guard bytes.count >= 4 else { return nil }
      let data = Array(bytes.dropLast(4))
      let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let sum = Self.fletcher32(data)
      // Old libraries stored the sum with its bytes swapped in pairs.
      let swapped = (sum & 0x00FF_00FF) << 8 | (sum & 0xFF00_FF00) >> 8
      return stored == sum || stored == swapped ? data : nil
    }
  }

  /// Shuffled bytes stand sorted by their place in the element; a remainder that makes no element stands last.
  private static func unshuffle(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    let elements = size > 0 ? bytes.count / size : 0
    guard size > 1, elements > 1 else { return bytes }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { target, initialized in
      bytes.withUnsafeBufferPointer { source in
        for place in 0..<size {
          let plane = place * elements
          for element in 0..<elements { target[element * size + place] = source[plane + element] }
        }
        for rest in elements * size..<bytes.count { target[rest] = source[rest] }
      }
      initialized = bytes.count
    }
  }

  /// Over big-endian 16-bit words (HDF5's H5_checksum_fletcher32).
  private static func fletcher32(_ bytes: [UInt8]) -> UInt32 {
    var (first, second): (UInt64, UInt64) = (0, 0)
    for index in stride(from: 0, to: bytes.count - bytes.count % 2, by: 2) {
      first = (first + UInt64(bytes[index]) << 8 + UInt64(bytes[index + 1])) % 65535
      second = (second + first) % 65535
    }
    if bytes.count % 2 == 1, let last = bytes.last {
      first = (first + UInt64(last) << 8) % 65535
      second = (second + first) % 65535
    }
    return UInt32(second << 16 | first)
  }
}
