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
    func id(_ token: String) throws(TokenizerError) -> Int {
      guard let id = vocabulary.id(of: Array(token.utf8)) else {
        throw .missing(file: path, field: token, expected: "a line of its own")
      }
      return id
    }
    var tokenizer = Tokenizer(model: .wordPiece(WordPiece(vocabulary: vocabulary, unknown: try id("[UNK]"))))
    let special = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]
    tokenizer.add(
      special.compactMap { token in
        vocabulary.id(of: Array(token.utf8)).map { AddedToken(content: token, id: $0, isSpecial: true) }
      })
    tokenizer.normalizers = [
      .bert(
        BertNormalizer(
          separatesChinese: settings.separatesChinese, stripsAccents: settings.stripsAccents,
          lowercases: settings.lowercases))
    ]
    tokenizer.preTokenizer = .bert
    tokenizer.template = .bert(cls: try id("[CLS]"), sep: try id("[SEP]"))
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
    tokenizer.preTokenizer = .byteLevel(addsSpace: settings.addsSpace, splits: true)
    tokenizer.decoder = .byteLevel
    func id(_ token: String) -> Int? { vocabulary.id(of: Array(token.utf8)) }
    // RoBERTa's pieces have the marks of sentences; GPT-2's end of text stands alone.
    let special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    tokenizer.add(
      special.compactMap { token in
        guard let id = id(token) else { return nil }
        var added = AddedToken(content: token, id: id, isSpecial: true)
        added.stripsLeft = token == "<mask>"
        return added
      })
    if let cls = id("<s>"), let sep = id("</s>") { tokenizer.template = .roberta(cls: cls, sep: sep) }
    return tokenizer
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
  var addsSpace = false

  init() {}

  init(_ files: TokenizerFiles) throws(TokenizerError) {
    guard files.contents[TokenizerFiles.settings] != nil else { return }
    let json = try files.json(TokenizerFiles.settings)
    lowercases = json["do_lower_case"]?.bool ?? lowercases
    stripsAccents = json["strip_accents"]?.bool
    separatesChinese = json["tokenize_chinese_chars"]?.bool ?? separatesChinese
    addsSpace = json["add_prefix_space"]?.bool ?? addsSpace
  }
}
