import ZooCheckpoint

/// Whose model of SentencePiece's it is, which says what Hugging Face's conversion puts around the pieces.
enum SentencePieceOwner {
  case t5, xlmRoberta

  private static let classes: [String: SentencePieceOwner] = [
    "T5Tokenizer": .t5, "MT5Tokenizer": .t5, "XLMRobertaTokenizer": .xlmRoberta,
  ]
  private static let modelTypes: [String: SentencePieceOwner] = [
    "t5": .t5, "mt5": .t5, "umt5": .t5, "xlm-roberta": .xlmRoberta, "xlm-roberta-xl": .xlmRoberta,
  ]
  /// Classes that serve any model.
  private static let generalClasses: Set<String> = ["PreTrainedTokenizer", "TokenizersBackend"]

  /// Told by `tokenizer_class` in tokenizer_config.json, else by `model_type` in config.json, else by the file's name.
  ///
  /// - Throws: ``TokenizerError/unsupported(file:part:found:known:)`` where it is somebody else's.
  init(_ files: TokenizerFiles, _ settings: TokenizerSettings) throws(TokenizerError) {
    if let name = settings.tokenizerClass {
      let bare = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
      if let owner = Self.classes[bare] {
        self = owner
        return
      }
      guard Self.generalClasses.contains(bare) else {
        throw .unsupported(
          file: files.path(of: TokenizerFiles.settings), part: "tokenizer_class", found: name,
          known: Self.classes.keys.sorted())
      }
    }
    if let type = files.modelType {
      guard let owner = Self.modelTypes[type] else {
        throw .unsupported(
          file: files.path(of: TokenizerFiles.config), part: TokenizerFiles.modelTypeKey, found: type,
          known: Self.modelTypes.keys.sorted())
      }
      self = owner
      return
    }
    self = files.contents[TokenizerFiles.sentencePieces[0]] == nil ? .xlmRoberta : .t5
  }
}

/// Tokenizers out of SentencePiece's own files: those that Transformers' T5TokenizerFast and XLMRobertaTokenizerFast
/// make of them.
///
/// Those split at white space and mark every word's beginning whatever the model says of dummy prefixes and extra white
/// space, so that is not read.
extension Tokenizer {
  static func sentencePieces(_ files: TokenizerFiles, name: String) throws(TokenizerError) -> Tokenizer {
    let settings = try TokenizerSettings(files)
    let file = files.path(of: name)
    let owner = try SentencePieceOwner(files, settings)
    let model = try SentencePieceModel(files.contents[name] ?? [], file: file)
    var normalizers: [Normalizer] = []
    if !model.characterMap.isEmpty {
      guard let map = CharacterMap(model.characterMap) else {
        throw .missing(file: file, field: "normalizer_spec.precompiled_charsmap", expected: "a table of characters")
      }
      normalizers = [.precompiled(map)]
    }
    var tokenizer =
      switch owner {
      case .t5: try t5(model, extraTokens: settings.extraTokens, file: file)
      case .xlmRoberta: try xlmRoberta(model, settings, file: file)
      }
    tokenizer.normalizers = normalizers
    let addsMark = owner == .t5 || settings.addsSpace ?? true
    tokenizer.preTokenizer = .sequence([.whitespaceSplit, .metaspace("▁", addsMark: addsMark)])
    tokenizer.decoder = .metaspace("▁", dropsFirst: addsMark)
    return tokenizer
  }

  /// The pieces, then `<extra_id_99>` down to `<extra_id_0>`; `</s>` ends a text.
  private static func t5(
    _ model: SentencePieceModel, extraTokens: Int, file: String
  ) throws(TokenizerError) -> Tokenizer {
    let extra = (0..<extraTokens).reversed().map { "<extra_id_\($0)>" }
    let pieces = model.scoredPieces + extra.map { (Array($0.utf8), 0) }
    guard let unknown = model.pieces.firstIndex(where: { $0.type == .unknown }) else {
      throw .missing(file: file, field: "pieces", expected: "one for what is unknown")
    }
    var tokenizer = Tokenizer(model: .unigram(Unigram(pieces, unknown: unknown)))
    tokenizer.addSpecial(["<pad>", "</s>", "<unk>"] + extra)
    tokenizer.add(model.addedTokens(from: 0, shift: 0))
    let end = try tokenizer.required("</s>", file: file)
    tokenizer.template = Template(
      single: [.first(type: 0), .special(id: end, type: 0)],
      pair: [.first(type: 0), .special(id: end, type: 0), .second(type: 0), .special(id: end, type: 0)])
    return tokenizer
  }

  /// fairseq's order: four tokens of its own in the place of the first three pieces, `<mask>` after the last.
  private static func xlmRoberta(
    _ model: SentencePieceModel, _ settings: TokenizerSettings, file: String
  ) throws(TokenizerError) -> Tokenizer {
    let own = ["<s>", "<pad>", "</s>", "<unk>"]
    let replaced = 3
    guard model.pieces.count > replaced else {
      throw .missing(file: file, field: "pieces", expected: "more than \(replaced)")
    }
    let mask = [(Array("<mask>".utf8), 0.0)]
    let pieces = own.map { (Array($0.utf8), 0.0) } + model.scoredPieces.dropFirst(replaced) + mask
    var tokenizer = Tokenizer(model: .unigram(Unigram(pieces, unknown: 3)))
    tokenizer.addSpecial(own)
    tokenizer.addSpecial(["<mask>"], strippingLeft: settings.maskStripsLeft)
    tokenizer.add(model.addedTokens(from: replaced, shift: 1))
    tokenizer.template = .roberta(
      cls: try tokenizer.required("<s>", file: file), sep: try tokenizer.required("</s>", file: file))
    return tokenizer
  }
}

extension SentencePieceModel {
  fileprivate var scoredPieces: [(piece: [UInt8], score: Double)] { pieces.map { ($0.text, Double($0.score)) } }

  /// Control tokens, and symbols that the trainer was told to keep whole.
  fileprivate func addedTokens(from first: Int, shift: Int) -> [AddedToken] {
    pieces.indices.dropFirst(first).filter { [.control, .userDefined].contains(pieces[$0].type) }.map { place in
      AddedToken(
        content: String(decoding: pieces[place].text, as: UTF8.self), id: place + shift,
        isSpecial: pieces[place].type == .control)
    }
  }
}
