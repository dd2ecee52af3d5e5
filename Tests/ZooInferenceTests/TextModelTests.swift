import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph

@testable import ZooInference

/// Texts in, texts and vectors out, with the tiny networks of `make_sequences.py` and vocabularies of 71 tokens.
@Suite struct TextModelTests {
  /// Calls `body` with a network in a folder of its own, its tokenizer beside it.
  private func withModel(
    _ name: String, tokenizer: [String: String], _ body: (TextModel) throws -> Void
  ) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try body(TextModel(path: folder.textModel(name, tokenizer: tokenizer)))
  }

  @Test func aTextsVectorIsTheMeanOfItsTokens() throws {
    try withModel("bert", tokenizer: TinyTokenizer.wordPieces) { model in
      let found = try TextEmbedder(model).embed(["Hello world", "hello"])
      let plan = try SequencePlan(model.graph, weights: model.weights)
      for (vector, ids) in zip(found, [[2, 5, 6, 3], [2, 5, 3]]) {
        let hidden = try plan.run(SequenceInput(ids: [ids]))[0].values()
        let mean = (0..<24).map { column in
          ids.indices.reduce(0) { $0 + hidden[$1 * 24 + column] } / Float(ids.count)
        }
        try #require(vector.count == 24)
        for (one, other) in zip(vector, mean) { #expect(abs(one - other) < 1e-5) }
      }
      #expect(throws: ModelError.self) { try TextReader(model) }
      #expect(throws: ModelError.self) { try TextGenerator(model) }
    }
  }

  @Test func aMaskIsFilledWithTheLikeliestToken() throws {
    try withModel("bert_masked_lm", tokenizer: TinyTokenizer.wordPieces) { model in
      let saying = try #require(try TextReader(model).read("hello [MASK] world", count: 2).first)
      let plan = try SequencePlan(model.graph, weights: model.weights)
      let logits = try plan.run(SequenceInput(ids: [[2, 5, 4, 6, 3]]))[0].values()[2 * 71..<3 * 71]
      let best = try #require(logits.indices.max { logits[$0] < logits[$1] }) - 2 * 71
      let guess = try #require(saying.prediction.top(1).first)
      #expect(guess.index == best && saying.token == "[MASK]" && saying.texts.count == 2)
      if best > 6 { #expect(saying.texts[best] == "hello word\(best) world") }
      #expect(throws: ModelError.noMask(token: "[MASK]")) { try TextReader(model).read("hello", count: 1) }
    }
  }

  @Test func aClassifierGivesAClassForATextAndATaggerForEachToken() throws {
    try withModel("bert_sequences", tokenizer: TinyTokenizer.wordPieces) { model in
      let sayings = try TextReader(model).read("hello", pair: "world", count: 1)
      #expect(sayings.count == 1 && sayings[0].token == nil && sayings[0].prediction.logits.count == 5)
    }
    try withModel("bert_tokens", tokenizer: TinyTokenizer.wordPieces) { model in
      let tokens = try TextReader(model).read("hello world", count: 1).map(\.token)
      #expect(tokens == ["hello", "world"])
    }
  }

  /// Rounded weights give other logits, but nearly the same.
  @Test(arguments: [SequencePrecision.bfloat16, .int8])
  func precisionReachesTheNetwork(precision: SequencePrecision) throws {
    try withModel("bert_sequences", tokenizer: TinyTokenizer.wordPieces) { model in
      var options = try ClassifierOptions(catalog: Catalog(overlays: []))
      let logits = try [SequencePrecision.float32, precision].map { precision in
        options.precision = precision
        guard case .reader(let reader) = try options.openNetwork(model.path) else { return [Float]() }
        return try reader.read("hello world", count: 1).first?.prediction.logits ?? []
      }
      try #require(logits[0].count == 5 && logits[1].count == 5)
      let largest = zip(logits[0], logits[1]).map { abs($0 - $1) }.max() ?? 0
      let scale = logits[0].map(abs).max() ?? 0
      #expect(largest > 0 && largest < 0.1 * scale, "\(largest) of \(scale)")
    }
  }

  @Test func streamedTextIsTheWholeText() throws {
    try withModel("gpt2", tokenizer: TinyTokenizer.characters) { model in
      var options = GenerationOptions()
      options.maximumTokens = 9
      var streamed = ["", ""]
      let whole = try TextGenerator(model, options: options).generate(["abc", "X"]) { streamed[$0] += $1 }
      #expect(streamed == whole && whole.allSatisfy { $0.count == 9 })
    }
  }

  @Test func aModelWithoutATokenizerSaysSo() throws {
    #expect(throws: ModelError.self) { try withModel("bert", tokenizer: [:]) { _ in } }
  }
}
