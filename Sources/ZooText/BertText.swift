import Foundation

/// How BERT prepares text: Devlin et al., "BERT", 2018, and the tokenizer published with it.
struct BertNormalizer: Sendable, Equatable {
  var cleansText = true
  var separatesChinese = true
  /// nil: as ``lowercases``.
  var stripsAccents: Bool?
  var lowercases = true

  func normalize(_ text: String) -> String {
    var scalars: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      guard let scalar = cleansText ? Self.cleaned(scalar) : scalar else { continue }
      if separatesChinese, scalar.isChineseForBert { scalars += [" ", scalar, " "] } else { scalars.append(scalar) }
    }
    if stripsAccents ?? lowercases {
      let text = UnicodeForms.normalized(Self.text(scalars)) { $0.decomposedStringWithCanonicalMapping }
      scalars = text.unicodeScalars
        .filter { !(!$0.isASCII && $0.properties.generalCategory == .nonspacingMark && $0.isKnownToBert) }
    }
    return lowercases ? Normalizer.lowercased(scalars) : Self.text(scalars)
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private static func cleaned(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar {
    case "\t", "\n", "\r": " "
    case "\0", "\u{FFFD}": nil
    default:
      if scalar.isControlForBert { nil } else if scalar.isWhiteSpace { " " } else { scalar }
    }
  }
}

/// Splits at white space, which goes, and at punctuation, which stays.
enum BertWords {
  static func split(_ text: Substring) -> [Substring] {
    var words: [Substring] = []
    var start: Substring.Index?
    let scalars = text.unicodeScalars
    func close(at end: Substring.Index) {
      if let begun = start { words.append(text[begun..<end]) }
      start = nil
    }
    var index = scalars.startIndex
    while index < scalars.endIndex {
      let next = scalars.index(after: index)
      let scalar = scalars[index]
      if scalar.isWhiteSpace {
        close(at: index)
      } else if scalar.isPunctuationForBert {
        close(at: index)
        words.append(text[index..<next])
      } else if start == nil {
        start = index
      }
      index = next
    }
    close(at: scalars.endIndex)
    return words
  }
}

extension Unicode.Scalar {
  /// The tables of Hugging Face's tokenizers are those of Unicode 8: characters that came later are letters to them.
  fileprivate var isKnownToBert: Bool { isKnown(toVersion: 8) }

  fileprivate var isControlForBert: Bool {
    if isASCII { return value < 32 || value == 127 }
    return switch properties.generalCategory {
    case .control, .privateUse: true
    case .format: isKnownToBert
    default: false
    }
  }

  fileprivate var isPunctuationForBert: Bool {
    if isASCII {
      return (33...47).contains(value) || (58...64).contains(value) || (91...96).contains(value)
        || (123...126).contains(value)
    }
    // A symbol since Unicode 12.
    if value == 0x166D { return true }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return isKnownToBert
    default: return false
    }
  }

  /// The blocks of Chinese characters that BERT's tokenizer puts spaces around.
  fileprivate var isChineseForBert: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
