import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooText

@Suite struct TokenizerFilesTests {
  private func files(_ contents: [String: [UInt8]]) throws -> TokenizerFiles? {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for (name, bytes) in contents { try Data(bytes).write(to: URL(filePath: folder.file(name))) }
    return try TokenizerFiles(folder: folder.path)
  }

  private func fixture(_ name: String, _ files: [String]) throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for file in files {
      contents[file] = [UInt8](try Data(contentsOf: URL(filePath: Fixture.path("text/\(name)/\(file)"))))
    }
    return contents
  }

  @Test(arguments: [
    (["tokenizer.json", "vocab.txt", "tokenizer_config.json"], ["tokenizer.json", "tokenizer_config.json"]),
    (["vocab.txt", "tokenizer_config.json"], ["vocab.txt", "tokenizer_config.json"]),
    (["vocab.json", "merges.txt", "spiece.model"], ["vocab.json", "merges.txt"]),
    (["vocab.json", "spiece.model"], ["spiece.model"]),
    (["sentencepiece.bpe.model", "README.md"], ["sentencepiece.bpe.model"]),
  ])
  func theFilesOfOneTokenizerAreTaken(_ there: [String], _ taken: [String]) throws {
    let contents = Dictionary(uniqueKeysWithValues: there.map { ($0, Array("{\"\($0)\": 1}".utf8)) })
    let found = try #require(try files(contents))
    #expect(found.contents == contents.filter { taken.contains($0.key) })
  }

  @Test func aFolderWithoutATokenizerGivesNone() throws {
    #expect(try files(["tokenizer_config.json": [0x7B, 0x7D], "vocab.json": [0x7B, 0x7D]]) == nil)
    #expect(throws: TokenizerError.self) { try Tokenizer(folder: NSTemporaryDirectory() + "/no-such-folder") }
  }

  /// Text with signs that JSON escapes, bytes that are no UTF-8, and what Swift would hold for equal.
  @Test func carriedFilesComeBackByteForByte() throws {
    let contents: [String: [UInt8]] = [
      "vocab.json": Array("{\"\u{e9}\": 0, \"e\u{301}\": 1, \"/\\u0000\u{7f}\u{2028}\u{feff}\": 2}\r\n\0\u{1}".utf8),
      "merges.txt": [0xFF, 0xFE, 0x00, 0x0A],
      "tokenizer_config.json": Array("\u{feff}{}".utf8),
    ]
    let files = try #require(try files(contents))
    let carried = try TokenizerFiles(text: files.text, source: "model.safetensors")
    #expect(carried == files)
    #expect(carried.contents == contents)
    #expect(carried.text == files.text)
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try carried.write(to: folder.path, overwrite: false)
    #expect(try TokenizerFiles(folder: folder.path) == files)
    #expect(throws: FileError.self) { try carried.write(to: folder.path, overwrite: false) }
    try carried.write(to: folder.path, overwrite: true)
  }

  @Test(arguments: [
    ("bert_cased", ["vocab.txt", "tokenizer_config.json"]), ("roberta", ["vocab.json", "merges.txt"]),
    ("gpt2", ["tokenizer.json"]), ("t5", ["tokenizer.json"]),
  ])
  func carriedFilesMakeTheSameTokenizer(_ name: String, _ names: [String]) throws {
    let files = try #require(try files(fixture(name, names)))
    let carried = try TokenizerFiles(text: files.text, source: "model.safetensors")
    let whole = try Tokenizer(file: Fixture.path("text/\(name)/tokenizer.json"))
    for text in ["Straße Ünïcode, don't 😀!", "e\u{301} [MASK] <mask>", ""] {
      #expect(try Tokenizer(files: carried).encode(text) == whole.encode(text))
    }
  }

  @Test func whatTellsAModelOfSentencePieceApartIsCarried() throws {
    let files = try #require(
      try files(["spiece.model": [0xFF], "config.json": Array(#"{"model_type": "mt5", "d_model": 8}"#.utf8)]))
    #expect(files.modelType == "mt5")
    #expect(try TokenizerFiles(text: files.text, source: "model.safetensors") == files)
  }

  @Test func filesAreFoundBesideWeights() throws {
    let folder = Fixture.path("text/gpt2")
    #expect(try TokenizerFiles(beside: folder + "/model.safetensors") == TokenizerFiles(folder: folder))
    #expect(try TokenizerFiles(beside: folder) == TokenizerFiles(folder: folder))
    #expect(try TokenizerFiles(beside: Fixture.path("text/lines.json")) == nil)
  }

  @Test(arguments: [
    #"{"../evil": "text"}"#, #"{"vocab.txt/../../evil": "text"}"#, #"{"vocab.txt": 7}"#, #"{"vocab.json": "{}"}"#,
    #"{"spiece.model": {"base64": "*"}}"#, "{}", "[]", "{", "",
  ])
  func whatNoTokenizerIsMadeOfIsRefusedByItsSource(_ text: String) {
    let error = #expect(throws: TokenizerError.self) { try TokenizerFiles(text: text, source: "model.safetensors") }
    #expect(error?.report.file == "model.safetensors")
  }

  @Test func anOversizedFileIsRefusedUnread() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    let path = folder.file("tokenizer.json")
    try Data("{}".utf8).write(to: URL(filePath: path))
    let size = 1 << 33
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: UInt64(size))
    #expect(throws: TokenizerError.tooLarge(file: path, size: size, limit: TokenizerFiles.largest)) {
      try TokenizerFiles(folder: folder.path)
    }
  }
}
