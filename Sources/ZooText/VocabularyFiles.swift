import Foundation
import ZooCheckpoint

/// Tokenizers as they were published before `tokenizer.json`: the vocabulary, and for byte pairs the merges.
extension Tokenizer {
  /// WordPiece's of BERT: a piece a line, its id the line's number from 0.
  static func bert(_ files: TokenizerFiles) throws(TokenizerError) -> Tokenizer {
    let path = files.path(of: TokenizerFiles.wordPieces)
    let settings = try TokenizerSettings(files)
    var vocabulary = Vocabulary()
    for (id, line) in files.lines(of: TokenizerFiles.wordPieces).enumerated() {
      guard id < Vocabulary.limit else { throw .missing(file: path, field: "line \(id)", expected: "fewer lines") }
      vocabulary.add(line, id)
    }
    guard let unknown = vocabulary.id(of: Array("[UNK]".utf8)) else {
      throw .missing(file: path, field: "[UNK]", expected: "a piece of its own")
    }
    var tokenizer = Tokenizer(model: .wordPiece(WordPiece(vocabulary: vocabulary, unknown: unknown)))
    tokenizer.addSpecial(["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"])
    tokenizer.normalizers = [
      .bert(
        BertNormalizer(
          separatesChinese: settings.separatesChinese, stripsAccents: settings.stripsAccents,
          lowercases: settings.lowercases))
    ]
    tokenizer.preTokenizer = .bert
    tokenizer.template = .bert(
      cls: try tokenizer.required("[CLS]", file: path), sep: try tokenizer.required("[SEP]", file: path))
    tokenizer.decoder = .wordPiece(continuation: Array("##".utf8), cleans: true)
    return tokenizer
  }

  /// GPT-2's and RoBERTa's: pieces and ids as JSON, merges a line each under a line that names the version.
  static func bytePairs(_ files: TokenizerFiles) throws(TokenizerError) -> Tokenizer {
    let settings = try TokenizerSettings(files)
    let vocabulary = try Vocabulary(
      files.json(TokenizerFiles.bytePairs), file: files.path(of: TokenizerFiles.bytePairs), field: "vocabulary")
    var model = BytePairEncoding(vocabulary: vocabulary)
    let mergesPath = files.path(of: TokenizerFiles.merges)
    var rank = 0
    for (number, line) in files.lines(of: TokenizerFiles.merges).enumerated() where !line.isEmpty {
      if number == 0, line.starts(with: "#version".utf8) { continue }
      try model.add(line.split(separator: 0x20).map { Array($0) }, rank: rank, file: mergesPath, line: number + 1)
      rank += 1
    }
    var tokenizer = Tokenizer(model: .bytePairs(model, isByteLevel: true))
    tokenizer.preTokenizer = .byteLevel(addsSpace: settings.addsSpace ?? false, splits: true)
    tokenizer.decoder = .byteLevel
    // RoBERTa's pieces have the marks of sentences; GPT-2's end of text stands alone.
    tokenizer.addSpecial(["<s>", "<pad>", "</s>", "<unk>", "<|endoftext|>"])
    tokenizer.addSpecial(["<mask>"], strippingLeft: true)
    if let cls = tokenizer.id(of: "<s>"), let sep = tokenizer.id(of: "</s>") {
      tokenizer.template = .roberta(cls: cls, sep: sep)
    }
    return tokenizer
  }

  /// Those of the tokens that are pieces stand for themselves.
  mutating func addSpecial(_ tokens: [String], strippingLeft: Bool = false) {
    add(
      tokens.compactMap { content in
        guard let id = model.vocabulary.id(of: Array(content.utf8)) else { return nil }
        var token = AddedToken(content: content, id: id, isSpecial: true)
        token.stripsLeft = strippingLeft
        return token
      })
  }

  func required(_ token: String, file: String) throws(TokenizerError) -> Int {
    guard let id = id(of: token) else { throw .missing(file: file, field: token, expected: "a piece of its own") }
    return id
  }
}

extension TokenizerFiles {
  /// The lines of a text; none where there is no such file.
  fileprivate func lines(of name: String) -> [[UInt8]] {
    let bytes = contents[name] ?? []
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      Array(line.last == 0x0D ? line.dropLast() : line)
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// - Throws: ``TokenizerError/malformed(file:offset:problem:)``.
  func json(_ name: String) throws(TokenizerError) -> JSONTree {
    try JSONTree(contents[name] ?? [], file: path(of: name))
  }
}

/// What `tokenizer_config.json` says beside the vocabulary; the usual where there is none.
struct TokenizerSettings {
  var lowercases = true
  var stripsAccents: Bool?
  var separatesChinese = true
  var addsSpace: Bool?
  var tokenizerClass: String?
  /// T5's `<extra_id_…>`.
  var extraTokens = 100
  var maskStripsLeft = false

  init(_ files: TokenizerFiles) throws(TokenizerError) {
    guard files.contents[TokenizerFiles.settings] != nil else { return }
    let json = try files.json(TokenizerFiles.settings)
    lowercases = json["do_lower_case"]?.bool ?? lowercases
    stripsAccents = json["strip_accents"]?.bool
    separatesChinese = json["tokenize_chinese_chars"]?.bool ?? separatesChinese
    addsSpace = json["add_prefix_space"]?.bool
    tokenizerClass = json["tokenizer_class"]?.text
    maskStripsLeft = json["mask_token"]?["lstrip"]?.bool ?? false
    if let count = json["extra_ids"] {
      guard let count = count.integer, (0...Self.mostExtraTokens).contains(count) else {
        throw .missing(
          file: files.path(of: TokenizerFiles.settings), field: "extra_ids", expected: "0 to \(Self.mostExtraTokens)")
      }
      extraTokens = count
    }
  }

  private static let mostExtraTokens = 1 << 16
}
