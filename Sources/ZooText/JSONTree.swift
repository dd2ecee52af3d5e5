import ZooCheckpoint

/// JSON whose strings are compared by their bytes.
///
/// Swift's `String` holds "é" and "e" with an accent for equal, as Unicode says; a vocabulary may have both as different
/// tokens, so that a decoder into `[String: Int]` would lose one.
indirect enum JSONTree {
  case null
  case bool(Bool)
  case number(Double)
  case string([UInt8])
  case array([JSONTree])
  /// In the order of the file.
  case object([(key: [UInt8], value: JSONTree)])

  /// - Throws: ``TokenizerError/malformed(file:offset:problem:)``.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(TokenizerError) {
    var parser = JSONTreeParser(bytes, file: file)
    self = try parser.document()
  }

  /// - Throws: ``TokenizerError/malformed(file:offset:problem:)``.
  init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(TokenizerError) in
      try JSONTree(UnsafeRawBufferPointer(bytes), file: file)
    }
  }

  /// - Throws: ``TokenizerError/malformed(file:offset:problem:)``, `FileError`.
  init(path: String) throws {
    let file = try MappedFile(path: path)
    self = try file.withBytes(offset: 0, count: file.count) { try JSONTree($0, file: path) }
  }

  /// A member of an object; nil where there is none, or null.
  subscript(key: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    guard let value = members.last(where: { $0.key.elementsEqual(key.utf8) })?.value else { return nil }
    if case .null = value { return nil }
    return value
  }

  var text: String? { if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
  var bytes: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
  var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
  var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  var elements: [JSONTree]? { if case .array(let elements) = self { elements } else { nil } }
  var members: [(key: [UInt8], value: JSONTree)]? { if case .object(let members) = self { members } else { nil } }
}

/// Recursive descent over UTF-8, at most ``deepest`` levels deep. RFC 8259.
private struct JSONTreeParser {
  private static let deepest = 64
  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private var position = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    self.bytes = bytes
    self.file = file
  }

  mutating func document() throws(TokenizerError) -> JSONTree {
    let value = try value()
    skipSpace()
    guard position == bytes.count else { throw failure("text after the end of the JSON") }
    return value
  }

  private func failure(_ problem: String) -> TokenizerError {
    .malformed(file: file, offset: position, problem: problem)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: UInt8) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: UInt8) throws(TokenizerError) {
    guard take(character) else { throw failure("expected '\(Character(Unicode.Scalar(character)))'") }
  }

  private mutating func value() throws(TokenizerError) -> JSONTree {
    skipSpace()
    guard position < bytes.count else { throw failure("the JSON ends early") }
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw failure("more than \(Self.deepest) levels of JSON") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func word(_ word: String, _ value: JSONTree) throws(TokenizerError) -> JSONTree {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("expected '\(word)'") }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(TokenizerError) -> JSONTree {
    let start = position
    while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let number = Double(text), number.isFinite else {
      position = start
      throw failure("expected a value")
    }
    return .number(number)
  }

  private mutating func array() throws(TokenizerError) -> JSONTree {
    try expect(UInt8(ascii: "["))
    var elements: [JSONTree] = []
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat { elements.append(try value()) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return .array(elements)
  }

  private mutating func object() throws(TokenizerError) -> JSONTree {
    try expect(UInt8(ascii: "{"))
    var members: [(key: [UInt8], value: JSONTree)] = []
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipSpace()
      let key = try string()
      try expect(UInt8(ascii: ":"))
      members.append((key, try value()))
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
    return .object(members)
  }

  private mutating func string() throws(TokenizerError) -> [UInt8] {
    try expect(UInt8(ascii: "\""))
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard String(validating: text, as: UTF8.self) != nil else { throw failure("a string that is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): text += try escaped()
      case ..<0x20: throw failure("a control character inside a string")
      default: text.append(byte)
      }
    }
    throw failure("a string without an end")
  }

  private mutating func escaped() throws(TokenizerError) -> [UInt8] {
    guard position < bytes.count else { throw failure("a string without an end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "u"):
      var code = try codeUnit()
      if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: "\\u".utf8) {
        position += 2
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("an unknown escape")
    }
  }

  private mutating func codeUnit() throws(TokenizerError) -> UInt32 {
    guard bytes.count - position >= 4,
      let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("expected four hexadecimal digits") }
    position += 4
    return unit
  }
}
