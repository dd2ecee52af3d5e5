/// A token that stands for itself in the text, such as `[MASK]` or `<|endoftext|>`.
public struct AddedToken: Sendable, Equatable {
  public var content: String
  public var id: Int
  /// Whether it is no text: decoding leaves it out where it is told so.
  public var isSpecial: Bool
  /// Whether letters beside it make it part of a word.
  var isWord = false
  /// Whether it takes the white space before it, behind it.
  var stripsLeft = false
  var stripsRight = false
  /// Whether it is looked for in the normalised text, not in the original.
  var isNormalized = false

  init(content: String, id: Int, isSpecial: Bool) {
    self.content = content
    self.id = id
    self.isSpecial = isSpecial
  }
}

/// Cuts text where added tokens stand in it: the leftmost, and of those at one place the longest.
struct AddedTokenSplitter: Sendable {
  enum Part: Equatable {
    case text(Substring)
    case token(Int)
  }

  /// By their first byte, the longest first.
  private var tokens: [UInt8: [(bytes: [UInt8], token: AddedToken)]] = [:]

  init(_ tokens: [AddedToken]) {
    for token in tokens {
      let bytes = Array(token.content.utf8)
      guard let first = bytes.first else { continue }
      self.tokens[first, default: []].append((bytes, token))
    }
    for first in self.tokens.keys { self.tokens[first]?.sort { $0.bytes.count > $1.bytes.count } }
  }

  func split(_ text: Substring) -> [Part] {
    guard !tokens.isEmpty, !text.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
    var parts: [Part] = []
    var rest = text.startIndex
    var index = text.startIndex
    let utf8 = text.utf8
    while index < text.endIndex {
      guard let found = token(at: index, in: text) else {
        utf8.formIndex(after: &index)
        continue
      }
      var start = index
      var end = utf8.index(index, offsetBy: found.bytes.count)
      index = end
      if found.token.isWord, Self.touchesWord(start, end, text) { continue }
      if found.token.stripsLeft { start = Self.spaceStart(before: start, notBefore: rest, text) }
      if found.token.stripsRight { end = Self.spaceEnd(from: end, text) }
      if start > rest { parts.append(.text(text[rest..<start])) }
      parts.append(.token(found.token.id))
      rest = end
      index = max(index, end)
    }
    if rest < text.endIndex { parts.append(.text(text[rest...])) }
    return parts
  }

  private func token(at index: Substring.Index, in text: Substring) -> (bytes: [UInt8], token: AddedToken)? {
    tokens[text.utf8[index]]?.first { text.utf8[index...].starts(with: $0.bytes) }
  }

  private static func touchesWord(_ start: Substring.Index, _ end: Substring.Index, _ text: Substring) -> Bool {
    let scalars = text.unicodeScalars
    let before = start > text.startIndex ? scalars[scalars.index(before: start)].isWordCharacter : false
    let after = end < text.endIndex ? scalars[end].isWordCharacter : false
    return before || after
  }

  private static func spaceStart(
    before index: Substring.Index, notBefore rest: Substring.Index, _ text: Substring
  ) -> Substring.Index {
    let scalars = text.unicodeScalars
    var start = index
    while start > rest, scalars[scalars.index(before: start)].isWhiteSpace {
      start = scalars.index(before: start)
    }
    return start
  }

  private static func spaceEnd(from index: Substring.Index, _ text: Substring) -> Substring.Index {
    let scalars = text.unicodeScalars
    return scalars[index...].firstIndex { !$0.isWhiteSpace } ?? text.endIndex
  }
}

extension Unicode.Scalar {
  fileprivate var isWordCharacter: Bool { properties.isAlphabetic || properties.numericType != nil || self == "_" }
}
