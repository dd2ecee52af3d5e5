import Foundation
import ZooCheckpoint

/// Reads the values of a GGUF file one after another, each checked against the bytes that remain.
struct GGUFCursor {
  let bytes: UnsafeRawBufferPointer
  let file: String
  private(set) var position = 0
  /// Version 1 counted with 32 bits.
  var hasSmallCounts = false
  /// What is being read, for messages.
  var subject: String?

  private static let deepest = 4
  /// Arrays with more elements than this are passed over: vocabularies.
  private static let longestArray = 4096

  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    self.bytes = bytes
    self.file = file
  }

  var remaining: Int { bytes.count - position }

  func fail(_ fault: GGUFError.Fault, at offset: Int? = nil) -> GGUFError {
    GGUFError(file: file, name: subject, offset: offset ?? position, fault: fault)
  }

  mutating func number<T: FixedWidthInteger>(_: T.Type) throws(GGUFError) -> T {
    let size = MemoryLayout<T>.size
    guard size <= remaining else { throw fail(.truncated(needed: size, remaining: remaining)) }
    defer { position += size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// A count or length as the version has it.
  mutating func count() throws(GGUFError) -> UInt64 {
    hasSmallCounts ? UInt64(try number(UInt32.self)) : try number(UInt64.self)
  }

  /// A count of things that take at least `size` bytes each.
  mutating func count(of what: String, size: Int) throws(GGUFError) -> Int {
    let start = position
    let found = try count()
    guard found <= UInt64(remaining / size) else {
      throw fail(.count(what: what, found: found, possible: remaining / size), at: start)
    }
    return Int(found)
  }

  mutating func string() throws(GGUFError) -> String {
    let length = try count(of: "bytes of text", size: 1)
    defer { position += length }
    guard let text = String(validating: bytes[position..<(position + length)], as: UTF8.self) else {
      throw fail(.notUTF8)
    }
    return text
  }

  /// A metadata value as text, arrays as JSON; nil where an array is too long to be worth keeping.
  mutating func value(type: UInt32, depth: Int = 0) throws(GGUFError) -> String? {
    switch type {
    case 0: return String(try number(UInt8.self))
    case 1: return String(try number(Int8.self))
    case 2: return String(try number(UInt16.self))
    case 3: return String(try number(Int16.self))
    case 4: return String(try number(UInt32.self))
    case 5: return String(try number(Int32.self))
    case 6: return "\(Float(bitPattern: try number(UInt32.self)))"
    case 7: return try number(UInt8.self) == 0 ? "false" : "true"
    case 8: return try string()
    case 9: return try array(depth: depth)
    case 10: return String(try number(UInt64.self))
    case 11: return String(try number(Int64.self))
    case 12: return "\(Double(bitPattern: try number(UInt64.self)))"
    default: throw fail(.valueType(type))
    }
  }

  private mutating func array(depth: Int) throws(GGUFError) -> String? {
    guard depth < Self.deepest else { throw fail(.nestedTooDeeply) }
    let type = try number(UInt32.self)
    let sizes: [UInt32: Int] = [2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 10: 8, 11: 8, 12: 8, 8: hasSmallCounts ? 4 : 8, 9: 8]
    let count = try count(of: "elements", size: sizes[type] ?? 1)
    var parts: [String] = []
    var isKept = count <= Self.longestArray
    for _ in 0..<count {
      guard let part = try value(type: type, depth: depth + 1) else {
        isKept = false
        continue
      }
      if isKept { parts.append(type == 8 ? CheckpointMetadata.encode(part) : part) }
    }
    return isKept ? "[" + parts.joined(separator: ",") + "]" : nil
  }
}
