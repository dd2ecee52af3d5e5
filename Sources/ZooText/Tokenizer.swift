/// Text as token ids, and back: what Hugging Face's `tokenizer.json` describes.
///
/// Text is normalised, cut into words, words into pieces, and the pieces' ids stand between the special tokens that the
/// model was trained with.
public struct Tokenizer: Sendable {
  var normalizers: [Normalizer] = []
  var preTokenizer = PreTokenizer.none
  var model: PieceModel
  var template = Template()
  var decoder = PieceDecoder.words
  private(set) var addedTokens: [AddedToken] = []
  private var addedByID: [Int: AddedToken] = [:]
  private var original = AddedTokenSplitter([])
  private var normalized = AddedTokenSplitter([])

  init(model: PieceModel) { self.model = model }

  mutating func add(_ tokens: [AddedToken]) {
    for token in tokens {
      let known = addedByID[token.id]
      // The first of two with one id and one spelling counts.
      if let known, known.content.utf8.elementsEqual(token.content.utf8) { continue }
      addedTokens.append(token)
      addedByID[token.id] = known ?? token
    }
    original = AddedTokenSplitter(addedTokens.filter { !$0.isNormalized })
    normalized = AddedTokenSplitter(addedTokens.filter(\.isNormalized))
  }

  /// A text, or two, as a model takes it.
  public struct Encoding: Sendable, Equatable {
    public var ids: [Int]
    /// 0 for the first text, 1 for the second.
    public var typeIDs: [Int]
  }

  /// One more than the highest id.
  public var vocabularySize: Int { max(model.vocabulary.size, (addedTokens.map(\.id).max() ?? -1) + 1) }

  /// - Parameters:
  ///   - pair: a second text, such as the answer to a question.
  ///   - maximumLength: tokens that are kept, special ones included; the longer text is cut first, at its end.
  public func encode(
    _ text: String, pair: String? = nil, addingSpecialTokens: Bool = true, maximumLength: Int? = nil
  ) -> Encoding {
    var first = pieces(of: text)
    var second = pair.map(pieces(of:))
    let template = addingSpecialTokens ? template : Template()
    if let maximumLength {
      let room = max(0, maximumLength - template.specialCount(isPair: pair != nil))
      let lengths = Self.cut(first.count, second?.count ?? 0, to: room)
      first = Array(first.prefix(lengths.0))
      second = second.map { Array($0.prefix(lengths.1)) }
    }
    return template.encoding(first, second)
  }

  /// - Throws: ``TokenizerError/unknownID(id:size:)``.
  public func decode(_ ids: [Int], skippingSpecialTokens: Bool = true) throws(TokenizerError) -> String {
    var decoder = StreamingDecoder(self, skippingSpecialTokens: skippingSpecialTokens)
    var text = ""
    for id in ids { text += try decoder.append(id) }
    return text + decoder.finish()
  }

  /// How a token is spelled; nil where it is special and such are left out.
  ///
  /// - Throws: ``TokenizerError/unknownID(id:size:)``.
  func piece(_ id: Int, skippingSpecialTokens: Bool) throws(TokenizerError) -> [UInt8]? {
    if let token = addedByID[id] {
      return token.isSpecial && skippingSpecialTokens ? nil : Array(token.content.utf8)
    }
    guard let piece = model.vocabulary.piece(id) else { throw .unknownID(id: id, size: vocabularySize) }
    return piece
  }

  /// The id of a token as it is spelled in the vocabulary; nil where there is none.
  public func id(of token: String) -> Int? {
    addedTokens.first { $0.content.utf8.elementsEqual(token.utf8) }?.id ?? model.vocabulary.id(of: Array(token.utf8))
  }

  private func pieces(of text: String) -> [Int] {
    var ids: [Int] = []
    for part in original.split(text[...]) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let text):
        let clean = normalizers.reduce(String(text)) { $1.normalize($0) }
        for part in normalized.split(clean[...]) {
          switch part {
          case .token(let id): ids.append(id)
          case .text(let text): ids += preTokenizer.words(text).flatMap(model.encode)
          }
        }
      }
    }
    return ids
  }

  /// How much is kept of two texts: the longer is cut down to the shorter before both are.
  private static func cut(_ first: Int, _ second: Int, to room: Int) -> (Int, Int) {
    guard first + second > room else { return (first, second) }
    guard second > 0 else { return (room, 0) }
    let isSwapped = first > second
    var (short, long) = isSwapped ? (second, first) : (first, second)
    long = short > room ? short : max(short, room - short)
    if short + long > room {
      short = room / 2
      long = short + room % 2
    }
    return isSwapped ? (long, short) : (short, long)
  }
}
