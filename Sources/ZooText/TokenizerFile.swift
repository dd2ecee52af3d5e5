import Foundation

/// A `tokenizer.json` of Hugging Face's tokenizers.
struct TokenizerFile {
  let file: String
  private let json: JSONTree

  init(_ json: JSONTree, file: String) {
    self.json = json
    self.file = file
  }

  func tokenizer() throws(TokenizerError) -> Tokenizer {
    let preTokenizer = try preTokenizer(json["pre_tokenizer"])
    let isByteLevel = if case .byteLevel = preTokenizer { true } else { false }
    var tokenizer = Tokenizer(model: try model(required(json, "model"), isByteLevel: isByteLevel))
    tokenizer.normalizers = try normalizers(json["normalizer"])
    tokenizer.preTokenizer = preTokenizer
    tokenizer.add(try (json["added_tokens"]?.elements ?? []).map(addedToken))
    tokenizer.template = try template(json["post_processor"], tokenizer)
    tokenizer.decoder = try decoder(json["decoder"])
    return tokenizer
  }

  private func required(_ json: JSONTree, _ field: String) throws(TokenizerError) -> JSONTree {
    guard let value = json[field] else { throw missing(field, "an object") }
    return value
  }

  private func missing(_ field: String, _ expected: String) -> TokenizerError {
    .missing(file: file, field: field, expected: expected)
  }

  private func type(of part: JSONTree, _ name: String) throws(TokenizerError) -> String {
    guard let type = part["type"]?.text else { throw missing(name + ".type", "a name") }
    return type
  }

  private func normalizers(_ json: JSONTree?) throws(TokenizerError) -> [Normalizer] {
    guard let json else { return [] }
    switch try type(of: json, "normalizer") {
    case "Sequence":
      var all: [Normalizer] = []
      for part in json["normalizers"]?.elements ?? [] { all += try normalizers(part) }
      return all
    case "BertNormalizer":
      return [
        .bert(
          BertNormalizer(
            cleansText: json["clean_text"]?.bool ?? true, separatesChinese: json["handle_chinese_chars"]?.bool ?? true,
            stripsAccents: json["strip_accents"]?.bool, lowercases: json["lowercase"]?.bool ?? true))
      ]
    case "Precompiled":
      guard let table = json["precompiled_charsmap"]?.text.flatMap({ Data(base64Encoded: $0) }),
        let map = CharacterMap(Array(table))
      else { throw missing("normalizer.precompiled_charsmap", "a table of characters in base64") }
      return [.precompiled(map)]
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "NFC": return [.nfc]
    case "NFD": return [.nfd]
    case "NFKC": return [.nfkc]
    case "NFKD": return [.nfkd]
    case let other:
      throw unsupported(
        "normalizer", other,
        ["BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Precompiled", "Sequence", "StripAccents"])
    }
  }

  private func preTokenizer(_ json: JSONTree?) throws(TokenizerError) -> PreTokenizer {
    guard let json else { return .none }
    switch try type(of: json, "pre_tokenizer") {
    case "BertPreTokenizer": return .bert
    case "ByteLevel":
      return .byteLevel(addsSpace: json["add_prefix_space"]?.bool ?? true, splits: json["use_regex"]?.bool ?? true)
    case "WhitespaceSplit": return .whitespaceSplit
    case "Metaspace":
      let (mark, adds) = try mark(json, "pre_tokenizer")
      return .metaspace(mark, addsMark: adds)
    case "Sequence":
      var parts: [PreTokenizer] = []
      for part in json["pretokenizers"]?.elements ?? [] { parts.append(try preTokenizer(part)) }
      return .sequence(parts)
    case let other:
      throw unsupported(
        "pre_tokenizer", other, ["BertPreTokenizer", "ByteLevel", "Metaspace", "Sequence", "WhitespaceSplit"])
    }
  }

  /// The mark that stands for a space, and whether text begins with one.
  private func mark(_ json: JSONTree, _ part: String) throws(TokenizerError) -> (Unicode.Scalar, Bool) {
    guard let text = json["replacement"]?.text, let mark = text.unicodeScalars.first, text.unicodeScalars.count == 1
    else {
      throw missing(part + ".replacement", "a character")
    }
    let scheme = json["prepend_scheme"]?.text ?? (json["add_prefix_space"]?.bool == false ? "never" : "always")
    guard ["always", "never"].contains(scheme) else {
      throw unsupported(part + ".prepend_scheme", scheme, ["always", "never"])
    }
    if json["split"]?.bool == false { throw unsupported(part + ".split", "false", ["true"]) }
    return (mark, scheme == "always")
  }

  private func unigram(_ json: JSONTree) throws(TokenizerError) -> Unigram {
    if json["byte_fallback"]?.bool == true { throw unsupported("model.byte_fallback", "true", ["false"]) }
    var pieces: [(piece: [UInt8], score: Double)] = []
    for entry in json["vocab"]?.elements ?? [] {
      guard let pair = entry.elements, pair.count == 2, let piece = pair[0].bytes, case .number(let score) = pair[1],
        pieces.count < Vocabulary.limit
      else { throw missing("model.vocab[\(pieces.count)]", "a piece and its score") }
      pieces.append((piece, score))
    }
    guard let unknown = json["unk_id"]?.integer, pieces.indices.contains(unknown) else {
      throw missing("model.unk_id", "the place of a piece")
    }
    return Unigram(pieces, unknown: unknown)
  }

  private func model(_ json: JSONTree, isByteLevel: Bool) throws(TokenizerError) -> PieceModel {
    let type = json["type"]?.text ?? (json["merges"] == nil ? "WordPiece" : "BPE")
    if type == "Unigram" { return .unigram(try unigram(json)) }
    let vocabulary = try Vocabulary(json["vocab"], file: file, field: "model.vocab")
    switch type {
    case "WordPiece":
      guard let unknown = json["unk_token"]?.bytes, let id = vocabulary.id(of: unknown) else {
        throw missing("model.unk_token", "a piece of the vocabulary")
      }
      return .wordPiece(
        WordPiece(
          vocabulary: vocabulary, unknown: id,
          continuation: json["continuing_subword_prefix"]?.bytes ?? Array("##".utf8),
          longestWord: json["max_input_chars_per_word"]?.integer ?? 100))
    case "BPE": return .bytePairs(try bytePairs(json, vocabulary), isByteLevel: isByteLevel)
    case let other: throw unsupported("model", other, ["BPE", "Unigram", "WordPiece"])
    }
  }

  private func bytePairs(_ json: JSONTree, _ vocabulary: Vocabulary) throws(TokenizerError) -> BytePairEncoding {
    for field in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = json[field]?.text, !text.isEmpty { throw unsupported("model." + field, text, ["none"]) }
    }
    for field in ["byte_fallback", "fuse_unk"] where json[field]?.bool == true {
      throw unsupported("model." + field, "true", ["false"])
    }
    var model = BytePairEncoding(vocabulary: vocabulary)
    model.unknown = json["unk_token"]?.bytes.flatMap { vocabulary.id(of: $0) }
    model.takesWholeWords = json["ignore_merges"]?.bool ?? false
    for (rank, merge) in (json["merges"]?.elements ?? []).enumerated() {
      let pair = merge.elements?.compactMap(\.bytes) ?? merge.bytes?.split(separator: 0x20).map { Array($0) } ?? []
      try model.add(pair, rank: rank, file: file, line: rank + 1)
    }
    return model
  }

  private func addedToken(_ json: JSONTree) throws(TokenizerError) -> AddedToken {
    guard let content = json["content"]?.text, let id = json["id"]?.integer, (0..<Vocabulary.limit).contains(id) else {
      throw missing("added_tokens", "content and id")
    }
    var token = AddedToken(content: content, id: id, isSpecial: json["special"]?.bool ?? false)
    token.isWord = json["single_word"]?.bool ?? false
    token.stripsLeft = json["lstrip"]?.bool ?? false
    token.stripsRight = json["rstrip"]?.bool ?? false
    token.isNormalized = json["normalized"]?.bool ?? !token.isSpecial
    return token
  }

  private func template(_ json: JSONTree?, _ tokenizer: Tokenizer) throws(TokenizerError) -> Template {
    guard let json else { return Template() }
    switch try type(of: json, "post_processor") {
    case "ByteLevel": return Template()
    case "Sequence":
      for part in json["processors"]?.elements ?? [] {
        let template = try template(part, tokenizer)
        if template != Template() { return template }
      }
      return Template()
    case "BertProcessing", "RobertaProcessing":
      let isDouble = json["type"]?.text == "RobertaProcessing"
      guard let sep = json["sep"]?.elements?.last?.integer, let cls = json["cls"]?.elements?.last?.integer else {
        throw missing("post_processor", "sep and cls")
      }
      return isDouble ? .roberta(cls: cls, sep: sep) : .bert(cls: cls, sep: sep)
    case "TemplateProcessing":
      return Template(
        single: try parts(json, "single"), pair: try parts(json, "pair"))
    case let other:
      throw unsupported(
        "post_processor", other, ["BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"])
    }
  }

  private func parts(_ json: JSONTree, _ field: String) throws(TokenizerError) -> [Template.Part] {
    var parts: [Template.Part] = []
    for part in json[field]?.elements ?? [] {
      if let sequence = part["Sequence"] {
        let type = sequence["type_id"]?.integer ?? 0
        parts.append(sequence["id"]?.text == "B" ? .second(type: type) : .first(type: type))
      } else if let special = part["SpecialToken"], let name = special["id"]?.text {
        let ids = json["special_tokens"]?[name]?["ids"]?.elements?.compactMap(\.integer) ?? []
        guard !ids.isEmpty else { throw missing("post_processor.special_tokens." + name, "ids") }
        parts += ids.map { .special(id: $0, type: special["type_id"]?.integer ?? 0) }
      } else {
        throw missing("post_processor." + field, "Sequence or SpecialToken")
      }
    }
    return parts
  }

  private func decoder(_ json: JSONTree?) throws(TokenizerError) -> PieceDecoder {
    guard let json else { return .words }
    switch try type(of: json, "decoder") {
    case "ByteLevel": return .byteLevel
    case "Metaspace":
      let (mark, adds) = try mark(json, "decoder")
      return .metaspace(mark, dropsFirst: adds)
    case "WordPiece":
      return .wordPiece(
        continuation: json["prefix"]?.bytes ?? Array("##".utf8), cleans: json["cleanup"]?.bool ?? true)
    case let other: throw unsupported("decoder", other, ["ByteLevel", "Metaspace", "WordPiece"])
    }
  }

  private func unsupported(_ part: String, _ found: String, _ known: [String]) -> TokenizerError {
    .unsupported(file: file, part: part, found: found, known: known)
  }
}
