import ZooCheckpoint

/// What stands before an array in a `.npy` file (NumPy enhancement proposal 1, version 1.0).
enum NumPyArrayHeader {
  /// Signature, version 1 and the dictionary, padded so that data starts at a multiple of 64 bytes.
  ///
  /// - Parameter length: of the whole; nil for the least that there is.
  static func bytes(_ dtype: DType, shape: [Int], length: Int? = nil) -> [UInt8] {
    let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    let text = "{'descr': '\(dtype.numPyCode)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let rest = (length ?? (10 + text.utf8.count + 1 + 63) / 64 * 64) - 10
    var header = LittleEndianWriter()
    header.append([0x93] + Array("NUMPY".utf8) + [1, 0])
    header.append(UInt16(rest))
    header.append(text.utf8)
    header.append(repeating: 0x20, count: rest - text.utf8.count - 1)
    header.append(repeating: 0x0A, count: 1)
    return header.bytes
  }
}

extension DType {
  /// As NumPy spells it in an array's header.
  var numPyCode: String {
    switch self {
    case .float64: "<f8"
    case .float32: "<f4"
    case .float16: "<f2"
    case .bfloat16: "|V2"
    case .float8E4M3, .float8E5M2: "|V1"
    case .int64: "<i8"
    case .int32: "<i4"
    case .int16: "<i2"
    case .int8: "|i1"
    case .uint64: "<u8"
    case .uint32: "<u4"
    case .uint16: "<u2"
    case .uint8: "|u1"
    case .bool: "|b1"
    }
  }
}
