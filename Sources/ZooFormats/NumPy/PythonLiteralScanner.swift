/// Reads the Python literal of an array's header, and nothing else of Python.
struct PythonLiteralScanner {
  private let bytes: UnsafeRawBufferPointer
  private let offset: Int
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer, offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The dictionary's three entries, in any order, each once.
  mutating func header() throws(NumPyFault) -> (type: NumPyType, isFortran: Bool, shape: [Int]) {
    var (type, isFortran, shape): (NumPyType?, Bool?, [Int]?)
    try expect("{")
    while !take("}") {
      let place = position
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil: type = try self.type()
      case "fortran_order" where isFortran == nil: isFortran = try boolean()
      case "shape" where shape == nil: shape = try self.shape()
      default: throw fail("\(key) is unknown or stands twice", at: place)
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard position == bytes.count else { throw fail("text after the closing brace") }
    guard let type, let isFortran, let shape else { throw fail("descr, fortran_order or shape is missing") }
    return (type, isFortran, shape)
  }

  private mutating func type() throws(NumPyFault) -> NumPyType {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: "[") else { return NumPyType(try string()) }
    // A record: its fields don't matter, only where they end.
    var depth = 0
    repeat {
      guard position < bytes.count else { throw fail("a list that does not end") }
      if bytes[position] == UInt8(ascii: "[") { depth += 1 }
      if bytes[position] == UInt8(ascii: "]") { depth -= 1 }
      position += 1
    } while depth > 0
    return .unsupported("record")
  }

  private mutating func boolean() throws(NumPyFault) -> Bool {
    if take("True") { return true }
    if take("False") { return false }
    throw fail("expected True or False")
  }

  private mutating func shape() throws(NumPyFault) -> [Int] {
    var sizes: [Int] = []
    try expect("(")
    while !take(")") {
      guard sizes.count < 64 else { throw fail("more than 64 dimensions") }
      sizes.append(try integer())
      if !take(",") {
        try expect(")")
        break
      }
    }
    return sizes
  }

  private mutating func integer() throws(NumPyFault) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowed2) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
      guard !overflowed, !overflowed2 else { throw fail("a size above 2^63", at: start) }
      value = sum
      position += 1
    }
    guard position > start else { throw fail("expected a whole number") }
    // Python 2 ended long numbers so.
    _ = take("L")
    return value
  }

  private mutating func string() throws(NumPyFault) -> String {
    skipSpace()
    guard position < bytes.count, [0x22, 0x27].contains(bytes[position]) else { throw fail("expected a string") }
    let (quote, start) = (bytes[position], position + 1)
    position = start
    while position < bytes.count, bytes[position] != quote {
      guard (0x20..<0x7F).contains(bytes[position]), bytes[position] != 0x5C else {
        throw fail("a character that no such string has")
      }
      position += 1
    }
    guard position < bytes.count else { throw fail("a string that does not end", at: start) }
    defer { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func expect(_ text: String) throws(NumPyFault) {
    guard take(text) else { throw fail("expected \(text)") }
  }

  private mutating func take(_ text: String) -> Bool {
    skipSpace()
    let wanted = text.utf8
    guard wanted.count <= bytes.count - position,
      bytes[position..<(position + wanted.count)].elementsEqual(wanted)
    else { return false }
    position += wanted.count
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private func fail(_ problem: String, at place: Int? = nil) -> NumPyFault {
    NumPyFault(.malformedHeader(offset: offset + (place ?? position), problem: problem))
  }
}
