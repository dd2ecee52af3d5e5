import Foundation
import ZooText

/// Bytes as the files of a tokenizer: what a checkpoint carries, or the one file that they look like.
enum TokenizerInput {
  /// Accents in one character and in two, special tokens, half of one, white space, an emoji of many scalars, a long word.
  private static let text =
    "The fox, the héx e\u{301}. <mask> [MASK]<extra_id_1></s> [SEP ﬁ Ａ \u{3000}🏳️‍🌈 ½\t\u{0}\u{FFFD} hello"
    + String(repeating: "theo", count: 60)

  private static func files(_ bytes: UnsafeRawBufferPointer) throws -> [TokenizerFiles] {
    let whole = Array(bytes)
    switch whole.first {
    case UInt8(ascii: "{"):
      if let carried = try? TokenizerFiles(text: String(decoding: whole, as: UTF8.self), source: "fuzz") {
        return [carried]
      }
      return [try files(["tokenizer.json": whole])]
    case UInt8(ascii: "#"):
      return [
        try files(["vocab.json": Array(#"{"h": 0, "e": 1, "he": 2, "t": 3, "the": 4}"#.utf8), "merges.txt": whole])
      ]
    case 0x0A: return try ["spiece.model", "sentencepiece.bpe.model"].map { try files([$0: whole]) }
    default: return [try files(["vocab.txt": whole])]
    }
  }

  private static func files(_ contents: [String: [UInt8]]) throws -> TokenizerFiles {
    try TokenizerFiles(contents: contents, source: "fuzz")
  }

  /// Makes each tokenizer and takes a text through it.
  static func run(_ bytes: UnsafeRawBufferPointer) throws {
    var failure: (any Error)?
    for files in try files(bytes) {
      do {
        let tokenizer = try Tokenizer(files: files)
        let encoding = tokenizer.encode(text, pair: text, maximumLength: 200)
        precondition(encoding.ids.count == encoding.typeIDs.count)
        _ = try tokenizer.decode(encoding.ids)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
