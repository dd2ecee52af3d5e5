import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooText

/// SentencePiece's own files against what Transformers makes of them.
@Suite struct SentencePieceTests {
  private func model(_ fixture: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: Fixture.path("text/\(fixture)/spiece.model"))))
  }

  private func tokenizer(_ files: [String: [UInt8]]) throws -> Tokenizer {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for (name, bytes) in files { try Data(bytes).write(to: URL(filePath: folder.file(name))) }
    return try Tokenizer(folder: folder.path)
  }

  private func check(_ tokenizer: Tokenizer, _ expected: Expected, _ lines: [String]) throws {
    for (line, ids) in zip(lines, expected.ids) {
      #expect(tokenizer.encode(line).ids == ids, "\(line.debugDescription)")
    }
    for (ids, text) in zip(expected.ids, expected.texts) { #expect(try tokenizer.decode(ids) == text) }
    try Expected.check(lines, expected.blocks) { tokenizer.encode($0).ids.map(String.init).joined(separator: " ") }
  }

  private static let names = [("t5", "spiece.model"), ("xlm_roberta", "sentencepiece.bpe.model")]

  @Test(arguments: names)
  func tenThousandLinesEqualTransformers(_ name: String, _ file: String) throws {
    let tokenizer = try tokenizer([file: model("t5")])
    try check(tokenizer, #require(Expected.all?[name]), #require(Expected.lines))
    let whole = try Tokenizer(file: Fixture.path("text/\(name)/tokenizer.json"))
    #expect(tokenizer.vocabularySize == whole.vocabularySize)
    #expect(tokenizer.addedTokens.sorted { $0.id < $1.id } == whole.addedTokens.sorted { $0.id < $1.id })
    #expect(tokenizer.template == whole.template)
  }

  /// A model with control tokens, symbols that are kept whole, and no table of characters.
  @Test(arguments: names)
  func symbolsOfTheModelAreKeptWhole(_ name: String, _ file: String) throws {
    let lines = ["a fox<>fox <ctl> fox<><extra_id_7>"] + (try #require(Expected.lines).dropFirst())
    try check(tokenizer([file: model("symbols")]), #require(Expected.symbols?[name]), lines)
  }

  @Test(arguments: [
    (#"{"tokenizer_class": "XLMRobertaTokenizerFast"}"#, #"{"model_type": "t5"}"#, "xlm_roberta"),
    (#"{"tokenizer_class": "TokenizersBackend"}"#, #"{"model_type": "xlm-roberta"}"#, "xlm_roberta"),
    ("{}", #"{"model_type": "umt5"}"#, "t5"), ("{}", "{}", "t5"),
  ])
  func theOwnerIsToldByClassThenTypeThenName(_ settings: String, _ config: String, _ name: String) throws {
    let found = try tokenizer([
      "spiece.model": model("t5"), "tokenizer_config.json": Array(settings.utf8), "config.json": Array(config.utf8),
    ])
    #expect(
      found.encode("the fox").ids
        == (try Tokenizer(file: Fixture.path("text/\(name)/tokenizer.json"))).encode("the fox").ids)
  }

  @Test func settingsBesideTheModelCount() throws {
    let bytes = try model("t5")
    let few = try tokenizer(["spiece.model": bytes, "tokenizer_config.json": Array(#"{"extra_ids": 2}"#.utf8)])
    #expect(few.vocabularySize == 1002 && few.id(of: "<extra_id_1>") == 1000)
    let settings = #"{"mask_token": {"content": "<mask>", "lstrip": true}, "add_prefix_space": false}"#
    let mask = try tokenizer(["sentencepiece.bpe.model": bytes, "tokenizer_config.json": Array(settings.utf8)])
    #expect(mask.encode("  <mask>").ids == [0, 1001, 2])
    #expect(mask.preTokenizer == .sequence([.whitespaceSplit, .metaspace("▁", addsMark: false)]))
  }

  @Test(arguments: [
    ("tokenizer_config.json", #"{"tokenizer_class": "AlbertTokenizer"}"#),
    ("tokenizer_config.json", #"{"extra_ids": -1}"#), ("tokenizer_config.json", #"{"extra_ids": 1e9}"#),
    ("config.json", #"{"model_type": "camembert"}"#),
  ])
  func whatIsSomebodyElsesIsRefusedByItsFile(_ name: String, _ text: String) throws {
    let bytes = try model("symbols")
    let error = #expect(throws: TokenizerError.self) {
      try tokenizer(["spiece.model": bytes, name: Array(text.utf8)])
    }
    #expect(error?.report.file?.hasSuffix(name) == true)
  }
}

/// Files made to break the reader.
@Suite struct HostileSentencePieceTests {
  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(bytes.count)] + bytes
  }

  private static func piece(_ text: [UInt8], score: [UInt8] = [0, 0, 0, 0x80], type: UInt8 = 1) -> [UInt8] {
    field(1, field(1, text) + [0x15] + score + [0x18, type])
  }

  private static let unknown = piece(Array("<unk>".utf8), type: 2)
  private static let end = piece(Array("</s>".utf8), type: 3)
  private static let sound = unknown + end + piece([0x61])

  private func tokenizer(_ bytes: [UInt8]) throws -> Tokenizer {
    let text = "{\"spiece.model\": {\"base64\": \"\(Data(bytes).base64EncodedString())\"}}"
    return try Tokenizer(files: TokenizerFiles(text: text, source: "model.safetensors"))
  }

  @Test func aSoundModelIsTaken() throws {
    let tokenizer = try tokenizer(Self.sound)
    #expect(tokenizer.encode("a").ids == [0, 2, 1])
    #expect(tokenizer.vocabularySize == 103)
  }

  @Test(
    arguments: [
      // No pieces; none for what is unknown; no end of text.
      [], end, unknown,
      // Lengths that lie: of a piece, of its text, one of 2⁶³.
      sound + [0x0A, 0x7F, 0x0A], sound + field(1, [0x0A, 0x05, 0x61]),
      sound + [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
      // A number of eleven bytes; groups, which nothing here has.
      sound + [0x18] + Array(repeating: 0xFF, count: 11), sound + [0x0B], sound + [0x0F],
      // Wire types that aren't the field's: a piece, its text, score and type, the trainer, its algorithm, the table.
      sound + [0x08, 1], sound + field(1, [0x08, 1]), sound + field(1, [0x0A, 1, 0x61, 0x10, 1]),
      sound + field(1, [0x0A, 1, 0x61, 0x1A, 0]), sound + [0x10, 1], sound + field(2, [0x1A, 0]),
      sound + field(3, [0x10, 1]),
      // Texts that are empty, or no UTF-8; scores that are no numbers.
      sound + field(1, []), sound + piece([]), sound + piece([0xFF]), sound + piece([0xED, 0xA0, 0x80]),
      sound + piece([0x62], score: [0, 0, 0xC0, 0x7F]), sound + piece([0x62], score: [0, 0, 0x80, 0xFF]),
      // BPE, word, char, a kind unknown to all; bytes for what is unknown; a table that is none.
      sound + field(2, [0x18, 2]), sound + field(2, [0x18, 3]), sound + field(2, [0x18, 4]),
      sound + field(2, [0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]),
      sound + field(2, [0x98, 0x02, 1]), sound + field(3, field(2, [1, 2, 3, 4, 5])),
    ] as [[UInt8]])
  func whatIsNoUnigramModelIsRefusedByItsName(_ bytes: [UInt8]) {
    let error = #expect(throws: TokenizerError.self) { try tokenizer(bytes) }
    #expect(error?.report.file == "model.safetensors/spiece.model")
  }

  @Test func anotherKindIsNamed() {
    let error = TokenizerError.unsupported(
      file: "model.safetensors/spiece.model", part: "trainer_spec.model_type", found: "BPE", known: ["Unigram"])
    #expect(throws: error) { try tokenizer(Self.sound + Self.field(2, [0x18, 2])) }
  }

  /// Cut anywhere but between two fields of the whole, a model is refused.
  @Test func aModelCutShortIsRefused() throws {
    let whole = Self.sound + Self.field(2, [0x18, 1, 0x98, 0x02, 0])
    let boundaries: Set = [Self.unknown.count + Self.end.count, Self.sound.count]
    for size in 0..<whole.count {
      if boundaries.contains(size) {
        #expect(throws: Never.self) { try tokenizer(Array(whole.prefix(size))) }
      } else {
        #expect(throws: TokenizerError.self, "\(size) bytes") { try tokenizer(Array(whole.prefix(size))) }
      }
    }
  }

  /// Transformers takes the last of them too.
  @Test func ofEqualPiecesTheLastCounts() throws {
    #expect(try tokenizer(Self.sound + Self.piece([0x61])).encode("a").ids.contains(3))
  }

  @Test func damageSaysWhereItIs() {
    let whole = Self.sound + Self.field(1, [0x0A, 0x05, 0x61])
    let error = #expect(throws: TokenizerError.self) { try tokenizer(whole) }
    #expect(error?.report.place == "at byte \(Self.sound.count + 4)")
  }
}
