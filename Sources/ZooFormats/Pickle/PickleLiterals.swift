extension PickleCursor {
  /// The number, boolean or None that the opcode spells.
  mutating func number(_ opcode: PickleOpcode) throws(PickleFault) -> PickleValue {
    switch opcode {
    case .newTrue: return .boolean(true)
    case .newFalse: return .boolean(false)
    case .binInt: return .integer(Int(Int32(truncatingIfNeeded: try unsigned(4))))
    case .binInt1: return .integer(Int(try unsigned(1)))
    case .binInt2: return .integer(Int(try unsigned(2)))
    case .long1: return Self.integer(try take(try length(1)))
    case .long4: return Self.integer(try take(try length(4)))
    case .binFloat: return .float(Double(bitPattern: UInt64(truncatingIfNeeded: try unsigned(8)).byteSwapped))
    case .int, .long: return try textInteger(opcode)
    case .float:
      guard let value = Double(String(pickled: try line())) else { throw PickleFault(.badNumber) }
      return .float(value)
    default: return .none
    }
  }

  /// The string or bytes that the opcode spells.
  mutating func text(_ opcode: PickleOpcode) throws(PickleFault) -> PickleValue {
    switch opcode {
    case .shortBinString, .shortBinUnicode: return .string(String(pickled: try take(try length(1))))
    case .binString, .binUnicode: return .string(String(pickled: try take(try length(4))))
    case .binUnicode8: return .string(String(pickled: try take(try length(8))))
    case .shortBinBytes: return .bytes([UInt8](try take(try length(1))))
    case .binBytes: return .bytes([UInt8](try take(try length(4))))
    case .binBytes8, .byteArray8: return .bytes([UInt8](try take(try length(8))))
    case .string:
      let quoted = String(pickled: try line())
      guard quoted.count >= 2, let quote = quoted.first, quote == "'" || quote == "\"", quoted.last == quote else {
        throw PickleFault(.badNumber)
      }
      return .string(String(quoted.dropFirst().dropLast()))
    default: return .string(String(pickled: try line()))
    }
  }

  /// Two's complement, little-endian, of any length.
  private static func integer(_ bytes: UnsafeRawBufferPointer) -> PickleValue {
    guard bytes.count <= 8 else { return .bigInteger([UInt8](bytes)) }
    let negative = (bytes.last ?? 0) >= 0x80
    return .integer(bytes.reversed().reduce(negative ? -1 : 0) { $0 << 8 | Int($1) })
  }

  private mutating func textInteger(_ opcode: PickleOpcode) throws(PickleFault) -> PickleValue {
    let digits = String(pickled: try line())
    if opcode == .int, digits == "00" || digits == "01" { return .boolean(digits == "01") }
    let number = digits.hasSuffix("L") ? String(digits.dropLast()) : digits
    if let value = Int(number) { return .integer(value) }
    guard number.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }), !number.isEmpty else {
      throw PickleFault(.badNumber)
    }
    return .bigInteger([UInt8](number.utf8))
  }
}
