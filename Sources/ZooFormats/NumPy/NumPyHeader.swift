import ZooCheckpoint

/// The header of an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` after a signature.
///
/// Layout: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3.
struct NumPyHeader {
  static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Of what is looked at to find the header; NumPy itself reads 10,000 bytes unless told otherwise.
  static let limit = 1 << 16

  let type: NumPyType
  let isFortran: Bool
  let shape: [Int]
  /// Where the data starts.
  let dataOffset: Int

  /// - Parameter bytes: the array's first ``limit`` bytes, or all of them.
  init(_ bytes: UnsafeRawBufferPointer) throws(NumPyFault) {
    let reader = LittleEndianBytes(bytes: bytes)
    guard bytes.count >= 10, bytes[0..<6].elementsEqual(Self.signature) else {
      let found = bytes.prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      throw NumPyFault(.notAnArray(found: found))
    }
    guard (1...3).contains(bytes[6]) else { throw NumPyFault(.version(Int(bytes[6]))) }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[6] == 1 ? reader.uint16(8).map(Int.init) : reader.uint32(8).map(Int.init)
    guard let length, length <= Self.limit - start else {
      throw NumPyFault(.headerTooLong(count: length ?? 0, limit: Self.limit - start))
    }
    guard let text = reader.range(start, length) else {
      throw NumPyFault(.size(needed: start + length, found: bytes.count))
    }
    var scanner = PythonLiteralScanner(text, offset: start)
    let fields = try scanner.header()
    type = fields.type
    isFortran = fields.isFortran
    shape = fields.shape
    dataOffset = start + length
  }
}

/// A fault before the file's and the array's names are known.
struct NumPyFault: Error {
  let fault: NumPyError.Fault
  init(_ fault: NumPyError.Fault) { self.fault = fault }
}

/// The element type that a `descr` names.
enum NumPyType: Equatable {
  case elements(DType, isByteSwapped: Bool)
  /// Two bytes without a type of NumPy's own: how bfloat16 is saved.
  case opaque(size: Int)
  case objects
  case unsupported(String)

  /// - Parameter descr: such as `<f4`, `|b1`, `|V2`.
  init(_ descr: String) {
    let order = descr.first ?? " "
    let code = "<>=|".contains(order) ? String(descr.dropFirst()) : descr
    if code.hasPrefix("O") {
      self = .objects
    } else if let dtype = Self.codes[code] {
      self = .elements(dtype, isByteSwapped: order == ">" && dtype.size > 1)
    } else if code.hasPrefix("V"), let size = Int(code.dropFirst()) {
      self = .opaque(size: size)
    } else {
      self = .unsupported(descr)
    }
  }

  private static let codes: [String: DType] = [
    "f8": .float64, "f4": .float32, "f2": .float16, "i8": .int64, "i4": .int32, "i2": .int16, "i1": .int8,
    "u8": .uint64, "u4": .uint32, "u2": .uint16, "u1": .uint8, "b1": .bool, "?": .bool, "b": .int8, "B": .uint8,
  ]
}
