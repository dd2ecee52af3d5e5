import ZooCheckpoint

/// What the elements of an ONNX tensor are, and what they become: types of four bits have none of their own here.
package struct ONNXElementType: Equatable {
  package let dtype: DType
  /// How two elements of four bits stand in one byte, the first in the low half; nil for whole bytes.
  private let nibble: Nibble?

  private enum Nibble { case unsigned, signed, float }

  /// - Parameter number: of TensorProto.DataType; nil where zoo has nothing like it.
  package init?(_ number: Int) {
    switch number {
    case 21: (dtype, nibble) = (.uint8, .unsigned)
    case 22: (dtype, nibble) = (.int8, .signed)
    case 23: (dtype, nibble) = (.float8E4M3, .float)
    default:
      guard let dtype = ONNXDataType.dtype(number) else { return nil }
      self.dtype = dtype
      nibble = nil
    }
  }

  var isNibble: Bool { nibble != nil }
  /// Bytes of one stored unit: an element, or two of four bits.
  var storedSize: Int { dtype.size }

  /// - Parameter count: of elements.
  func unpacked(_ storage: any ByteStorage, count: Int) -> any ByteStorage {
    guard let nibble else { return storage }
    let values = (0..<16).map { Self.byte(nibble, UInt8($0)) }
    return ONNXNibbles(storage, count: count, values: values)
  }

  private static func byte(_ nibble: Nibble, _ bits: UInt8) -> UInt8 {
    switch nibble {
    case .unsigned: bits
    case .signed: bits < 8 ? bits : bits | 0xF0
    // 0, 0.5, 1, 1.5, 2, 3, 4, 6 as float8_e4m3fn, with the sign in the top bit.
    case .float: [0, 0x30, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C][Int(bits & 7)] | (bits & 8) << 4
    }
  }
}

/// Elements of four bits, spread to a byte each when they are read.
private final class ONNXNibbles: ByteStorage {
  let count: Int
  private let packed: any ByteStorage
  private let values: [UInt8]

  /// - Parameter values: the byte for each of the sixteen patterns.
  init(_ packed: any ByteStorage, count: Int, values: [UInt8]) {
    self.packed = packed
    self.count = count
    self.values = values
  }

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    var bytes = [UInt8](repeating: 0, count: count)
    try packed.withBytes { source in
      for index in 0..<count { bytes[index] = values[Int(source[index / 2] >> (index % 2 * 4) & 0xF)] }
    }
    return try bytes.withUnsafeBytes(body)
  }
}
