import Foundation

/// SentencePiece's table of what characters are replaced by (`precompiled_charsmap`), with the rule of Hugging Face's
/// tokenizers: what is seen as one character is replaced as a whole where it is short, else each of its parts.
///
/// The table is a double array in the layout of Darts-clone, then the replacements, each with a zero behind it.
struct CharacterMap: Sendable, Equatable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  /// - Returns: nil where the bytes are no such table.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    let size = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16 | Int(bytes[3]) << 24
    guard size > 0, size % 4 == 0, size <= bytes.count - 4 else { return nil }
    units = stride(from: 4, to: 4 + size, by: 4).map { place in
      UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
        | UInt32(bytes[place + 3]) << 24
    }
    replacements = Array(bytes[(4 + size)...])
  }

  func normalize(_ text: String) -> String {
    var text = text
    text.makeContiguousUTF8()
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    var index = text.startIndex
    while index < text.endIndex {
      let next = Self.characterEnd(from: index, in: text)
      let whole = text.utf8[index..<next]
      if whole.count < 6, let replacement = replacement(of: whole) {
        result += replacement
      } else {
        while index < next {
          let end = text.unicodeScalars.index(after: index)
          let part = text.utf8[index..<end]
          if let replacement = replacement(of: part) { result += replacement } else { result += part }
          index = end
        }
      }
      index = next
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Between two ASCII characters, of which the first is no carriage return, one always ends; to ask Unicode's rules
  /// takes longer.
  private static func characterEnd(from index: String.Index, in text: String) -> String.Index {
    let utf8 = text.utf8
    let next = utf8.index(after: index)
    let isSingle = utf8[index] < 0x80 && utf8[index] != 0x0D && (next == utf8.endIndex || utf8[next] < 0x80)
    return isSingle ? next : text.index(after: index)
  }

  /// Of the shortest key that the bytes begin with.
  private func replacement(of bytes: some Sequence<UInt8>) -> ArraySlice<UInt8>? {
    var place = Self.offset(units[0])
    for byte in bytes {
      guard byte != 0 else { return nil }
      place ^= Int(byte)
      guard units.indices.contains(place), units[place] & 0x8000_00FF == UInt32(byte) else { return nil }
      let unit = units[place]
      place ^= Self.offset(unit)
      guard units.indices.contains(place) else { return nil }
      if unit >> 8 & 1 == 1 { return replacement(at: Int(units[place] & 0x7FFF_FFFF)) }
    }
    return nil
  }

  private func replacement(at start: Int) -> ArraySlice<UInt8>? {
    guard replacements.indices.contains(start) else { return nil }
    return replacements[start...].prefix { $0 != 0 }
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }
}
