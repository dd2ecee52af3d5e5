import Foundation
import ZooCheckpoint

/// Tokenizers as they were published before `tokenizer.json`: the vocabulary, and for byte pairs the merges.
extension Tokenizer {
  /// The tokenizer of a folder: `tokenizer.json`, else `vocab.txt`, else `vocab.json` and `merges.txt`.
  ///
  /// - Throws: ``TokenizerError``, `FileError`.
  public init(folder: String) throws {
    func path(_ name: String) -> String? {
      let path = folder + "/" + name
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    if let file = path("tokenizer.json") {
      self = try TokenizerFile(path: file).tokenizer()
    } else if let file = path("vocab.txt") {
      self = try .bert(vocabulary: file, settings: TokenizerSettings(folder: folder))
    } else if let vocabulary = path("vocab.json"), let merges = path("merges.txt") {
      self = try .bytePairs(vocabulary: vocabulary, merges: merges, settings: TokenizerSettings(folder: folder))
    } else {
      throw TokenizerError.missing(
        file: folder, field: "tokenizer", expected: "tokenizer.json, vocab.txt, or vocab.json and merges.txt")
    }
  }

  /// A `tokenizer.json`.
  ///
  /// - Throws: ``TokenizerError``, `FileError`.
  public init(file: String) throws { self = try TokenizerFile(path: file).tokenizer() }

  /// BERT's: a piece a line, its id the line's number from 0.
  static func bert(vocabulary path: String, settings: TokenizerSettings) throws -> Tokenizer {
    let file = try MappedFile(path: path)
    var vocabulary = Vocabulary()
    try file.withBytes(offset: 0, count: file.count) { bytes in
      for (id, line) in lines(bytes).enumerated() {
        guard id < Vocabulary.limit else {
          throw TokenizerError.missing(file: path, field: "line \(id)", expected: "fewer lines")
        }
        vocabulary.add(line, id)
      }
    }
    func id(_ token: String) throws -> Int {
      guard let id = vocabulary.id(of: Array(token.utf8)) else {
        throw TokenizerError.missing(file: path, field: token, expected: "a line of its own")
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
  static func bytePairs(vocabulary path: String, merges mergesPath: String, settings: TokenizerSettings) throws
    -> Tokenizer
  {
    let vocabulary = try Vocabulary(JSONTree(path: path), file: path, field: "vocabulary")
    var model = BytePairEncoding(vocabulary: vocabulary)
    let merges = try MappedFile(path: mergesPath)
    try merges.withBytes(offset: 0, count: merges.count) { bytes in
      var rank = 0
      for (number, line) in lines(bytes).enumerated() where !line.isEmpty {
        if number == 0, line.starts(with: "#version".utf8) { continue }
        try model.add(line.split(separator: 0x20).map { Array($0) }, rank: rank, file: mergesPath, line: number + 1)
        rank += 1
      }
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

  private static func lines(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      Array(line.last == 0x0D ? line.dropLast() : line)
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}

/// What `tokenizer_config.json` says beside the vocabulary; the usual where there is none.
struct TokenizerSettings {
  var lowercases = true
  var stripsAccents: Bool?
  var separatesChinese = true
  var addsSpace = false

  init() {}

  init(folder: String) throws {
    let path = folder + "/tokenizer_config.json"
    guard FileManager.default.fileExists(atPath: path) else { return }
    let json = try JSONTree(path: path)
    lowercases = json["do_lower_case"]?.bool ?? lowercases
    stripsAccents = json["strip_accents"]?.bool
    separatesChinese = json["tokenize_chinese_chars"]?.bool ?? separatesChinese
    addsSpace = json["add_prefix_space"]?.bool ?? addsSpace
  }
}
