import Foundation

/// Vocabularies of 71 tokens for the networks of `make_sequences.py`, as a tokenizer's files.
public enum TinyTokenizer {
  /// A word a token: hello, world, word7 and so on.
  public static let wordPieces = [
    "vocab.txt": (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world"] + (7..<71).map { "word\($0)" })
      .joined(separator: "\n")
  ]

  /// A character a token, from 3 to z, behind the tokens that begin and end texts.
  public static let characters = [
    "vocab.json": "{" + characterTokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ") + "}",
    "merges.txt": "#version: 0.2\n",
  ]

  private static let characterTokens: [String] = {
    let letters = (3..<71).map { place -> String in
      // A backslash would have to be escaped.
      let code: UInt8 = place == 44 ? 0x21 : UInt8(0x30 + place)
      return String(UnicodeScalar(code))
    }
    return ["<pad>", "</s>", "<|endoftext|>"] + letters
  }()
}

extension TemporaryDirectory {
  /// A network of `make_sequences.py` with a tokenizer beside it; gives the path of its weights.
  public func textModel(_ name: String, tokenizer: [String: String]) throws -> String {
    let path = file("model.safetensors")
    try FileManager.default.copyItem(atPath: Fixture.path("sequences/\(name).safetensors"), toPath: path)
    for (file, text) in tokenizer { try Data(text.utf8).write(to: URL(filePath: self.file(file))) }
    return path
  }
}
