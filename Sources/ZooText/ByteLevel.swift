/// Bytes as characters that can be seen, and text in words, as GPT-2 has it: Radford et al., "Language Models are
/// Unsupervised Multitask Learners", 2019.
enum ByteLevel {
  /// The character for each byte: itself where it can be seen, else one from U+0100 on.
  static let characters: [Unicode.Scalar] = {
    let visible = Set(Array(33...126) + Array(161...172) + Array(174...255))
    var next: UInt32 = 256
    return (0..<256).map { byte in
      if visible.contains(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? " "
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  /// The UTF-8 of the character for a byte.
  static let spelled: [[UInt8]] = characters.map { Array(String(Character($0)).utf8) }

  /// The bytes that characters stand for; characters that stand for none give their own.
  static func bytes(of piece: [UInt8]) -> [UInt8] {
    let scalars = Array(String(decoding: piece, as: UTF8.self).unicodeScalars)
    let known = scalars.compactMap { bytes[$0] }
    return known.count == scalars.count ? known : piece
  }

  /// Contractions, letters, numbers and other signs, each with the space before it; further white space by itself.
  ///
  ///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  static func words(_ text: Substring) -> [Substring] {
    let scalars = Array(text.unicodeScalars)
    let kinds = scalars.map(Kind.init)
    var places = Array(text.unicodeScalars.indices)
    places.append(text.endIndex)
    var words: [Substring] = []
    var start = 0
    while start < scalars.count {
      let end = wordEnd(from: start, scalars, kinds)
      words.append(text[places[start]..<places[end]])
      start = end
    }
    return words
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

  private enum Kind {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
      if scalar.isASCII {
        switch scalar {
        case "a"..."z", "A"..."Z": self = .letter
        case "0"..."9": self = .number
        default: self = scalar.isWhiteSpace ? .space : .other
        }
        return
      }
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.isWhiteSpace ? .space : .other
      }
    }
  }

  private static func wordEnd(from start: Int, _ scalars: [Unicode.Scalar], _ kinds: [Kind]) -> Int {
    if scalars[start] == "'", let found = contractions.first(where: { scalars[start...].starts(with: $0) }) {
      return start + found.count
    }
    let first = scalars[start] == " " && start + 1 < kinds.count && kinds[start + 1] != .space ? start + 1 : start
    let kind = kinds[first]
    let end = kinds[first...].firstIndex { $0 != kind } ?? kinds.count
    guard kind == .space else { return end }
    // The last space of many belongs to the word behind it.
    return end == kinds.count || end - start == 1 ? end : end - 1
  }
}
