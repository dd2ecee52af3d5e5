import Foundation

/// What is done to text before it is cut up.
enum Normalizer: Sendable, Equatable {
  case bert(BertNormalizer)
  case lowercase, stripAccents
  case nfc, nfd, nfkc, nfkd
  case precompiled(CharacterMap)

  func normalize(_ text: String) -> String {
    switch self {
    case .bert(let bert): return bert.normalize(text)
    case .lowercase: return Self.lowercased(text.unicodeScalars)
    case .stripAccents: return UnicodeForms.withoutAccents(text)
    case .precompiled(let map): return map.normalize(text)
    case .nfc: return UnicodeForms.normalized(text) { $0.precomposedStringWithCanonicalMapping }
    case .nfd: return UnicodeForms.normalized(text) { $0.decomposedStringWithCanonicalMapping }
    case .nfkc: return UnicodeForms.normalized(text) { $0.precomposedStringWithCompatibilityMapping }
    case .nfkd: return UnicodeForms.normalized(text) { $0.decomposedStringWithCompatibilityMapping }
    }
  }

  /// Character by character, so that a sigma at a word's end is like any other.
  static func lowercased(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var lowered = String.UnicodeScalarView()
    for scalar in scalars {
      switch scalar {
      case "A"..."Z": lowered.append(Unicode.Scalar(UInt8(scalar.value) + 32))
      case _ where scalar.isASCII: lowered.append(scalar)
      default: lowered.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return String(lowered)
  }
}

/// How text is cut into words.
indirect enum PreTokenizer: Sendable, Equatable {
  case none
  case bert
  /// Words between white space, which goes.
  case whitespaceSplit
  /// Words that begin with a mark where a space was; `addsMark`: the first one too.
  case metaspace(Unicode.Scalar, addsMark: Bool)
  case sequence([PreTokenizer])
  /// Words of bytes; `addsSpace`: text begins with a space, as words within it do.
  case byteLevel(addsSpace: Bool, splits: Bool)

  func words(_ text: Substring) -> [Substring] {
    switch self {
    case .none: return [text]
    case .bert: return BertWords.split(text)
    case .whitespaceSplit:
      return text.unicodeScalars.split { $0.isWhiteSpace }.map { Substring($0) }
    case .metaspace(let mark, let addsMark): return Self.metaspaceWords(text, mark, addsMark: addsMark)
    case .sequence(let parts): return parts.reduce([text]) { words, part in words.flatMap(part.words) }
    case .byteLevel(let addsSpace, let splits):
      let spaced = addsSpace && text.unicodeScalars.first != " " ? " " + text : text
      return splits ? ByteLevel.words(spaced) : [spaced]
    }
  }
}

extension PreTokenizer {
  private static func metaspaceWords(_ text: Substring, _ mark: Unicode.Scalar, addsMark: Bool) -> [Substring] {
    var marked = String.UnicodeScalarView()
    if addsMark, let first = text.unicodeScalars.first, first != " ", first != mark { marked.append(mark) }
    if text.utf8.contains(0x20) {
      for scalar in text.unicodeScalars { marked.append(scalar == " " ? mark : scalar) }
    } else {
      marked.append(contentsOf: text.unicodeScalars)
    }
    var words: [Substring] = []
    var start = marked.startIndex
    for index in marked.indices where marked[index] == mark && index > start {
      words.append(Substring(marked[start..<index]))
      start = index
    }
    if start < marked.endIndex { words.append(Substring(marked[start...])) }
    return words
  }
}

/// How words are cut into pieces.
enum PieceModel: Sendable {
  case wordPiece(WordPiece)
  /// `isByteLevel`: characters are bytes, spelled as ``ByteLevel`` spells them.
  case bytePairs(BytePairEncoding, isByteLevel: Bool)
  case unigram(Unigram)

  var vocabulary: Vocabulary {
    switch self {
    case .wordPiece(let model): model.vocabulary
    case .bytePairs(let model, _): model.vocabulary
    case .unigram(let model): model.vocabulary
    }
  }

  func encode(_ word: Substring) -> [Int] {
    switch self {
    case .wordPiece(let model): return model.encode(word)
    case .bytePairs(let model, true): return model.encode(word.utf8.map { ByteLevel.spelled[Int($0)] })
    case .unigram(let model): return model.encode(word)
    case .bytePairs(let model, false): return model.encode(word.unicodeScalars.map { Array(String($0).utf8) })
    }
  }
}

/// How pieces become text again.
enum PieceDecoder: Sendable, Equatable {
  /// Pieces with spaces between them.
  case words
  /// Spaces between words; `cleans`: but not before punctuation.
  case wordPiece(continuation: [UInt8], cleans: Bool)
  case byteLevel
  /// Marks are spaces again; `dropsFirst`: but not in the first piece.
  case metaspace(Unicode.Scalar, dropsFirst: Bool)

  /// The UTF-8 that a piece adds to the text before it.
  func bytes(of piece: [UInt8], isFirst: Bool) -> [UInt8] {
    switch self {
    case .words: return isFirst ? piece : [0x20] + piece
    case .byteLevel: return ByteLevel.bytes(of: piece)
    case .metaspace(let mark, let dropsFirst):
      let text = String(decoding: piece, as: UTF8.self)
      let space = isFirst && dropsFirst ? "" : " "
      return Array(text.replacingOccurrences(of: String(Character(mark)), with: space, options: .literal).utf8)
    case .wordPiece(let continuation, let cleans):
      let joined =
        isFirst
        ? piece : piece.starts(with: continuation) ? Array(piece.dropFirst(continuation.count)) : [0x20] + piece
      return cleans ? Array(Self.cleaned(String(decoding: joined, as: UTF8.self)).utf8) : joined
    }
  }

  private static let closer = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ]

  private static func cleaned(_ text: String) -> String {
    closer.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal) }
  }
}

/// Where the special tokens stand around one text, and around two.
struct Template: Sendable, Equatable {
  enum Part: Sendable, Equatable {
    case special(id: Int, type: Int)
    case first(type: Int)
    case second(type: Int)
  }

  var single: [Part] = [.first(type: 0)]
  var pair: [Part] = [.first(type: 0), .second(type: 1)]

  static func bert(cls: Int, sep: Int) -> Template {
    Template(
      single: [.special(id: cls, type: 0), .first(type: 0), .special(id: sep, type: 0)],
      pair: [
        .special(id: cls, type: 0), .first(type: 0), .special(id: sep, type: 0), .second(type: 1),
        .special(id: sep, type: 1),
      ])
  }

  static func roberta(cls: Int, sep: Int) -> Template {
    Template(
      single: [.special(id: cls, type: 0), .first(type: 0), .special(id: sep, type: 0)],
      pair: [
        .special(id: cls, type: 0), .first(type: 0), .special(id: sep, type: 0), .special(id: sep, type: 0),
        .second(type: 0), .special(id: sep, type: 0),
      ])
  }

  func specialCount(isPair: Bool) -> Int {
    (isPair ? pair : single).count { if case .special = $0 { true } else { false } }
  }

  func encoding(_ first: [Int], _ second: [Int]?) -> Tokenizer.Encoding {
    var encoding = Tokenizer.Encoding(ids: [], typeIDs: [])
    func append(_ ids: [Int], _ type: Int) {
      encoding.ids += ids
      encoding.typeIDs += ids.map { _ in type }
    }
    for part in second == nil ? single : pair {
      switch part {
      case .special(let id, let type): append([id], type)
      case .first(let type): append(first, type)
      case .second(let type): append(second ?? [], type)
      }
    }
    return encoding
  }
}
