import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooText

/// What Hugging Face's tokenizers gives for the lines of `make_text.py`.
struct Expected: Decodable {
  struct Pair: Decodable {
    let ids: [Int]
    let types: [Int]
  }
  struct Cut: Decodable {
    let length: Int
    let ids: [Int]
  }
  /// Of the first lines.
  let ids: [[Int]]
  let texts: [String]
  /// Of a hundred lines each.
  let blocks: [String]
  let pairs: [Pair]?
  let cut: [Cut]?

  static let all: [String: Expected]? = read("expected.json")
  /// Of a model of SentencePiece's with symbols of its user's.
  static let symbols: [String: Expected]? = read("expected_symbols.json")
  static let lines: [String]? = read("lines.json")
  /// Digests of blocks of lines by the name of a normalizer.
  static let normalizers: [String: [String]]? = read("normalizers.json")

  private static func read<T: Decodable>(_ name: String) -> T? {
    try? JSONDecoder().decode(T.self, from: Data(contentsOf: URL(filePath: Fixture.path("text/\(name)"))))
  }

  /// Compares blocks of a hundred lines.
  static func check(_ lines: [String], _ blocks: [String], _ row: (String) -> String) throws {
    try #require(lines.count == blocks.count * 100 && !blocks.isEmpty)
    for (number, block) in blocks.enumerated() {
      let rows = lines[number * 100..<number * 100 + 100].map(row)
      #expect(Digest.sha256(of: rows.joined(separator: "\n")) == block, "lines \(number * 100) to \(number * 100 + 99)")
    }
  }
}

@Suite struct TokenizerTests {
  static let names = ["bert_uncased", "bert_cased", "gpt2", "roberta", "t5", "xlm_roberta"]

  private func load(_ name: String) throws -> (tokenizer: Tokenizer, expected: Expected, lines: [String]) {
    let tokenizer = try Tokenizer(file: Fixture.path("text/\(name)/tokenizer.json"))
    return (tokenizer, try #require(Expected.all?[name]), try #require(Expected.lines))
  }

  @Test(arguments: names)
  func tenThousandLinesEqualHuggingFaces(_ name: String) throws {
    let (tokenizer, expected, lines) = try load(name)
    for (line, ids) in zip(lines, expected.ids) {
      let found = tokenizer.encode(line).ids
      #expect(found == ids, "\(line.debugDescription)")
    }
    try Expected.check(lines, expected.blocks) { tokenizer.encode($0).ids.map(String.init).joined(separator: " ") }
  }

  @Test(arguments: names.prefix(4))
  func vocabularyFilesGiveTheSame(_ name: String) throws {
    let (_, expected, lines) = try load(name)
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    for file in ["vocab.txt", "vocab.json", "merges.txt", "tokenizer_config.json"] {
      let path = Fixture.path("text/\(name)/\(file)")
      guard FileManager.default.fileExists(atPath: path) else { continue }
      try FileManager.default.copyItem(atPath: path, toPath: folder.file(file))
    }
    let tokenizer = try Tokenizer(folder: folder.path)
    for (line, ids) in zip(lines, expected.ids) {
      let found = tokenizer.encode(line).ids
      #expect(found == ids, "\(line.debugDescription)")
    }
  }

  @Test(arguments: names)
  func decodedTextEqualsHuggingFaces(_ name: String) throws {
    let (tokenizer, expected, _) = try load(name)
    for (ids, text) in zip(expected.ids, expected.texts) {
      let found = try tokenizer.decode(ids)
      #expect(Array(found.utf8) == Array(text.utf8), "\(found.debugDescription) for \(text.debugDescription)")
    }
  }

  @Test(arguments: names)
  func streamedTextIsFinalAndWhole(_ name: String) throws {
    let (tokenizer, expected, _) = try load(name)
    for (ids, text) in zip(expected.ids, expected.texts) {
      var decoder = StreamingDecoder(tokenizer)
      var streamed: [UInt8] = []
      for id in ids {
        streamed += try decoder.append(id).utf8
        // The whole text begins with it, and what comes next begins a character.
        let rest = text.utf8.dropFirst(streamed.count)
        #expect(text.utf8.starts(with: streamed) && rest.first.map { $0 & 0xC0 != 0x80 } ?? true)
      }
      streamed += decoder.finish().utf8
      #expect(streamed == Array(text.utf8), "\(text.debugDescription)")
    }
  }

  @Test(arguments: names)
  func pairsAndCutsEqualHuggingFaces(_ name: String) throws {
    let (tokenizer, expected, lines) = try load(name)
    for (number, pair) in try #require(expected.pairs).enumerated() {
      let found = tokenizer.encode(lines[number], pair: lines[number + 20])
      #expect(found.ids == pair.ids)
      #expect(found.typeIDs == pair.types)
    }
    for (number, cut) in try #require(expected.cut).enumerated() {
      let (first, second) = (lines[number % 20], lines[number % 20 + 20])
      let found = tokenizer.encode(first, pair: second, maximumLength: cut.length)
      #expect(found.ids == cut.ids, "\(cut.length) of \(number % 20)")
    }
  }
}

@Suite struct TokenizerFileTests {
  private func tokenizer(_ json: String) throws -> Tokenizer {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try json.write(toFile: folder.file("tokenizer.json"), atomically: false, encoding: .utf8)
    return try Tokenizer(folder: folder.path)
  }

  @Test func truncatedFilesAreRefused() throws {
    let whole = try Data(contentsOf: URL(filePath: Fixture.path("text/gpt2/tokenizer.json")))
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    let path = folder.file("tokenizer.json")
    for size in stride(from: 1, to: whole.count, by: 211) {
      try whole.prefix(size).write(to: URL(filePath: path))
      #expect(throws: TokenizerError.self, "\(size) bytes") { try Tokenizer(file: path) }
    }
  }

  @Test(arguments: [
    #"{"model": {"type": "Unigram", "vocab": {"a": 0}}}"#,
    #"{"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1}}"#,
    #"{"model": {"type": "Unigram", "vocab": [["a"]], "unk_id": 0}}"#,
    #"{"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 0}, "normalizer": {"type": "Precompiled"}}"#,
    #"{"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 0}, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////wAA"}}"#,
    #"{"model": {"type": "WordPiece", "vocab": {"a": 0}}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 1e9}, "merges": []}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [7]}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "byte_fallback": true}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "normalizer": {"type": "Prepend"}}"#,
    #"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "added_tokens": [{"id": 99999999999}]}"#,
    #"{"model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}}"#,
    "{} {}", "[]", "7", "",
  ])
  func whatIsNoTokenizerIsRefused(_ json: String) {
    #expect(throws: (any Error).self) { try tokenizer(json) }
  }

  /// A table whose offsets lead out of it replaces nothing.
  @Test func aDamagedCharacterMapStaysInItsBounds() throws {
    let whole = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(filePath: Fixture.path("text/t5/tokenizer.json")))) as? [String: Any])
    let normalizer = try #require(whole["normalizer"] as? [String: Any])
    let table = try #require((normalizer["precompiled_charsmap"] as? String).flatMap { Data(base64Encoded: $0) })
    var bytes = Array(table.prefix(4000))
    bytes.replaceSubrange(0..<4, with: [0x80, 0x0C, 0, 0])
    for seed in 0..<400 {
      for step in 0..<40 { bytes[4 + (seed * 977 + step * 131) % 3990] = UInt8(truncatingIfNeeded: seed &* 31 &+ step) }
      let map = try #require(CharacterMap(bytes))
      _ = map.normalize("Ａﬁ½ e\u{301} 가 क्षि 👩‍👩‍👧 \u{0} ™")
    }
  }

  @Test func nestedJSONDoesNotExhaustTheStack() {
    #expect(throws: TokenizerError.self) { try tokenizer(String(repeating: "[", count: 1_000_000)) }
  }

  /// "é" in one character and in two are equal to Swift, and two pieces to a vocabulary.
  @Test func piecesAreToldApartByTheirBytes() throws {
    let tokenizer = try tokenizer(
      #"{"model": {"type": "BPE", "vocab": {"\u00e9": 0, "e\u0301": 1, "e": 2}, "merges": []}}"#)
    #expect(tokenizer.id(of: "\u{e9}") == 0)
    #expect(tokenizer.id(of: "e\u{301}") == 1)
  }

  @Test func anUnknownIDIsNamed() throws {
    let tokenizer = try Tokenizer(file: Fixture.path("text/gpt2/tokenizer.json"))
    #expect(throws: TokenizerError.unknownID(id: 5000, size: tokenizer.vocabularySize)) { try tokenizer.decode([5000]) }
  }
}
