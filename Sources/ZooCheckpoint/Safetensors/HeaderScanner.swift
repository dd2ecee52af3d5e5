/// Reads a safetensors header: the JSON subset that the format allows (objects, strings, arrays of integers), strictly.
///
/// A general parser would accept duplicate keys, whose meaning differs from reader to reader.
struct HeaderScanner {
  struct Entry {
    var name: String
    var dtype = ""
    var shape: [Int] = []
    var range: [Int] = []
    var place: Int
  }

  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private var position = 0
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]

  /// Offset of the header inside the file, for error messages.
  private static let start = 8

  init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
    self.bytes = bytes
    self.file = file
    var names: Set<String> = []
    try object { scanner, key, place in
      guard names.insert(key).inserted else { throw scanner.failure("the name \"\(key)\" stands twice", at: place) }
      if key == "__metadata__" {
        try scanner.object { scanner, key, place in
          guard scanner.metadata[key] == nil else {
            throw scanner.failure("metadata \"\(key)\" stands twice", at: place)
          }
          scanner.metadata[key] = try scanner.string()
        }
      } else {
        scanner.entries.append(try scanner.entry(key, place: place))
      }
    }
    skipSpace()
    guard position == bytes.count else { throw failure("text after the header's closing brace") }
  }

  private mutating func entry(_ name: String, place: Int) throws -> Entry {
    var entry = Entry(name: name, place: place + Self.start)
    var seen: Set<String> = []
    try object { scanner, key, place in
      guard seen.insert(key).inserted else {
        throw scanner.failure("tensor \"\(name)\" has \"\(key)\" twice", at: place)
      }
      switch key {
      case "dtype": entry.dtype = try scanner.string()
      case "shape": entry.shape = try scanner.integers()
      case "data_offsets": entry.range = try scanner.integers()
      default: throw scanner.failure("tensor \"\(name)\" has an unknown field \"\(key)\"", at: place)
      }
    }
    guard seen.count == 3 else { throw failure("tensor \"\(name)\" lacks dtype, shape or data_offsets", at: place) }
    return entry
  }

  func failure(_ problem: String, at place: Int? = nil) -> SafetensorsError {
    .malformedHeader(file: file, offset: (place ?? position) + Self.start, problem: problem)
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func expect(_ character: Character) throws {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else {
      throw failure("expected \"\(character)\"")
    }
    position += 1
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func object(_ member: (inout HeaderScanner, String, Int) throws -> Void) throws {
    try expect("{")
    if take("}") { return }
    repeat {
      skipSpace()
      let place = position
      let key = try string()
      try expect(":")
      try member(&self, key, place)
    } while take(",")
    try expect("}")
  }

  private mutating func integers() throws -> [Int] {
    var found: [Int] = []
    try expect("[")
    if take("]") { return found }
    repeat {
      skipSpace()
      let start = position
      var value = 0
      while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
        let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowed2) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
        guard !overflowed, !overflowed2, sum <= 1 << 53 else { throw failure("an integer above 2^53", at: start) }
        value = sum
        position += 1
      }
      guard position > start else { throw failure("expected a whole number") }
      guard position - start == 1 || bytes[start] != 0x30 else {
        throw failure("a number with leading zeros", at: start)
      }
      guard found.count < 64 else { throw failure("more than 64 dimensions", at: start) }
      found.append(value)
    } while take(",")
    try expect("]")
    return found
  }

  private mutating func string() throws -> String {
    try expect("\"")
    let start = position
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case 0x22:
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string that is not UTF-8", at: start)
        }
        return string
      case 0x5C: text.append(contentsOf: try escaped())
      case ..<0x20: throw failure("a control character inside a string", at: position - 1)
      default: text.append(byte)
      }
    }
    throw failure("a string that does not end", at: start)
  }

  private mutating func escaped() throws -> [UInt8] {
    guard position < bytes.count else { throw failure("an escape that does not end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case 0x22, 0x5C, 0x2F: return [byte]
    case 0x62: return [0x08]
    case 0x66: return [0x0C]
    case 0x6E: return [0x0A]
    case 0x72: return [0x0D]
    case 0x74: return [0x09]
    case 0x75:
      var code = try hexadecimal()
      if (0xD800..<0xDC00).contains(code), position + 1 < bytes.count, bytes[position] == 0x5C,
        bytes[position + 1] == 0x75
      {
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("an unknown escape", at: position - 1)
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard position + 4 <= bytes.count,
      let text = String(validating: bytes[position..<(position + 4)], as: UTF8.self),
      text.allSatisfy(\.isHexDigit), let code = UInt32(text, radix: 16)
    else { throw failure("expected four hexadecimal digits") }
    position += 4
    return code
  }
}
