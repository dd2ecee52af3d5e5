/// Ids become text one by one, as a model generates them.
///
/// What ``append(_:)`` gives is final: it never ends inside a character's UTF-8, and no later id changes it. All of it
/// and then ``finish()`` are what ``Tokenizer/decode(_:skippingSpecialTokens:)`` gives for all ids.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipsSpecialTokens: Bool
  private var isFirst = true
  /// The beginning of a character whose other bytes are still to come.
  private var held: [UInt8] = []

  public init(_ tokenizer: Tokenizer, skippingSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skippingSpecialTokens
  }

  /// The text that the id adds; empty where the tokens so far end inside a character.
  ///
  /// - Throws: ``TokenizerError/unknownID(id:size:)``; what was appended before stands.
  public mutating func append(_ id: Int) throws(TokenizerError) -> String {
    guard let piece = try tokenizer.piece(id, skippingSpecialTokens: skipsSpecialTokens) else { return "" }
    held += tokenizer.decoder.bytes(of: piece, isFirst: isFirst)
    isFirst = false
    let end = held.count - Self.unfinished(held)
    defer { held.removeFirst(end) }
    return String(decoding: held[..<end], as: UTF8.self)
  }

  /// What is left: a character that was never finished becomes U+FFFD. Afterwards a new text may begin.
  public mutating func finish() -> String {
    defer { (held, isFirst) = ([], true) }
    return String(decoding: held, as: UTF8.self)
  }

  /// How many bytes at the end begin a character that further bytes could finish: The Unicode Standard 16, table 3-7.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    guard let start = bytes.suffix(3).lastIndex(where: { $0 & 0xC0 != 0x80 }) else { return 0 }
    let (first, count) = (bytes[start], bytes.count - start)
    let length =
      switch first {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 0
      }
    guard count < length else { return 0 }
    guard count > 1 else { return count }
    let second =
      switch first {
      case 0xE0: UInt8(0xA0)...0xBF
      case 0xED: UInt8(0x80)...0x9F
      case 0xF0: UInt8(0x90)...0xBF
      case 0xF4: UInt8(0x80)...0x8F
      default: UInt8(0x80)...0xBF
      }
    return second.contains(bytes[start + 1]) ? count : 0
  }
}
