import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooEngine

/// A fixture with its network.
private struct TextFixture {
  let graph: Graph
  let weights: Weights
  let input: SequenceInput
  let decoder: [[Int]]?
  let expected: [FloatTensor]

  init(_ name: String) throws {
    let fixture = try TextNetworkFixture(name)
    graph = try NetworkFamilies.graph(family: fixture.family, config: fixture.config, classes: fixture.classes)
    weights = fixture.weights
    input = SequenceInput(ids: try #require(try fixture.value("ids")), typeIDs: try fixture.value("types"))
    decoder = try fixture.value("decoder")
    expected = fixture.expected
  }
}

@Suite struct SequenceTests {
  static let names = [
    "bert", "bert_masked_lm", "bert_sequences", "bert_tokens", "roberta_masked_lm", "roberta_sequences",
    "distilbert_masked_lm", "distilbert_sequences", "gpt2", "gpt2_sequences", "t5", "t5_gated", "t5_encoder",
  ]

  /// The largest difference, as a share of the largest number.
  private func difference(_ found: FloatTensor, _ expected: FloatTensor) throws -> Float {
    try #require(found.shape == expected.shape)
    let (a, b) = (try found.values(), try expected.values())
    return zip(a, b).map { abs($0 - $1) }.max().map { $0 / (b.map(abs).max() ?? 1) } ?? 1
  }

  private func run(_ fixture: TextFixture, _ precision: SequencePrecision = .float32) throws -> [FloatTensor] {
    let plan = try SequencePlan(fixture.graph, weights: fixture.weights, precision: precision)
    guard let decoder = fixture.decoder else { return try plan.run(fixture.input) }
    return try plan.run(fixture.input, decoder: decoder)
  }

  @Test(arguments: names)
  func outputsEqualTransformers(_ name: String) throws {
    let fixture = try TextFixture(name)
    let found = try run(fixture)
    try #require(found.count >= fixture.expected.count && !fixture.expected.isEmpty)
    for (one, other) in zip(found, fixture.expected) { #expect(try difference(one, other) < 1e-5) }
  }

  /// A linear layer's weights as the kernels keep them.
  private func rounded(_ tensor: FloatTensor, _ precision: SequencePrecision) throws -> FloatTensor {
    let inputs = tensor.shape[1]
    let values = try tensor.values()
    return FloatTensor(
      shape: tensor.shape,
      values: values.indices.map { index in
        if precision == .bfloat16 {
          let bits = values[index].bitPattern
          return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
        }
        let row = index / inputs * inputs
        let factor = (values[row..<row + inputs].map(abs).max() ?? 0) / 127
        return (values[index] / factor).rounded(.toNearestOrEven) * factor
      })
  }

  /// Linear layers round their weights, and of a few tokens nothing else is rounded.
  @Test(arguments: [SequencePrecision.bfloat16, .int8])
  func roundedWeightsAreTheNearest(_ precision: SequencePrecision) throws {
    let fixture = try TextFixture("bert_sequences")
    var others = fixture.weights
    for (name, tensor) in others where tensor.shape.count == 2 && !name.contains("embeddings") {
      others[name] = try rounded(tensor, precision)
    }
    let few = SequenceInput(ids: [fixture.input.ids[3]], typeIDs: fixture.input.typeIDs.map { [$0[3]] })
    let plan = try SequencePlan(fixture.graph, weights: fixture.weights, precision: precision)
    let found = try plan.run(few)[0]
    #expect(try difference(found, SequencePlan(fixture.graph, weights: others).run(few)[0]) < 1e-5)
    let whole = try plan.run(fixture.input)[0]
    let bounds: (Float, Float) = precision == .bfloat16 ? (1e-4, 2e-2) : (1e-4, 8e-2)
    #expect(try difference(whole, fixture.expected[0]) > bounds.0)
    #expect(try difference(whole, fixture.expected[0]) < bounds.1)
  }

  /// Of many tokens inputs may be rounded to bfloat16 too: those that are bfloat16 already give the same sums.
  @Test(arguments: [SequencePrecision.bfloat16, .int8])
  func productsOfManyRowsSumUpEveryNumber(_ precision: SequencePrecision) throws {
    var random = SeededGenerator(seed: 9)
    for (inputs, outputs, rows) in [(37, 130, 29), (64, 64, 8), (1, 5, 9), (131, 70, 102)] {
      var b = GraphBuilder()
      b.beginStage("layer")
      let x = b.embedding("words", rows: 50, width: inputs)
      let graph = b.finish(outputs: [b.linear("linear", x, from: inputs, to: outputs)])
      var weights = Weights()
      for parameter in graph.parameters {
        let isTable = parameter.name.hasPrefix("words")
        let values = (0..<parameter.shape.reduce(1, *)).map { _ in
          isTable ? Float(Int.random(in: -32...32, using: &random)) / 8 : Float.random(in: -1...1, using: &random)
        }
        weights[parameter.name] = FloatTensor(shape: parameter.shape, values: values)
      }
      let ids = (0..<rows).map { _ in Int.random(in: 0..<50, using: &random) }
      let found = try SequencePlan(graph, weights: weights, precision: precision).run(SequenceInput(ids: [ids]))[0]
      weights["linear.weight"] = try rounded(try #require(weights["linear.weight"]), precision)
      let expected = try SequencePlan(graph, weights: weights).run(SequenceInput(ids: [ids]))[0]
      #expect(try difference(found, expected) < 1e-5, "\(inputs) \(outputs) \(rows)")
    }
  }

  @Test(arguments: ["gpt2", "t5", "t5_gated"])
  func tokenByTokenIsTheSame(_ name: String) throws {
    let fixture = try TextFixture(name)
    let plan = try SequencePlan(fixture.graph, weights: fixture.weights)
    let texts = fixture.decoder ?? fixture.input.ids
    for (index, text) in texts.enumerated() {
      let state =
        fixture.decoder == nil
        ? SequenceState(plan, sequences: 1)
        : try SequenceState(plan, answering: SequenceInput(ids: [fixture.input.ids[index]]))
      var rows: [Float] = []
      for token in text { rows += try state.advance([[token]], lastOnly: true)[0].values() }
      let first = texts[..<index].reduce(0) { $0 + $1.count }
      let columns = fixture.expected[0].shape[1]
      let wanted = try fixture.expected[0].values()[first * columns..<(first + text.count) * columns]
      let found = FloatTensor(shape: [text.count, columns], values: rows)
      #expect(try difference(found, FloatTensor(shape: [text.count, columns], values: Array(wanted))) < 1e-5)
      #expect(state.lengths == [text.count])
    }
  }

  /// Longer than every tile, so that products are made in several pieces.
  @Test(arguments: [true, false])
  func longSequencesEqualTheReference(_ isCausal: Bool) throws {
    var generator = SystemRandomNumberGenerator()
    func noise(_ shape: [Int]) -> FloatTensor {
      FloatTensor(
        shape: shape,
        values: (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) })
    }
    let (heads, width, length) = (1, 20, 560)
    var b = GraphBuilder()
    b.beginStage("layer")
    let x = b.embedding("words", rows: 50, width: heads * width)
    let parts = ["q", "k", "v"].map { b.linear($0, x, from: heads * width, to: heads * width) }
    let table = b.ownParameter("table", [16, heads])
    let attention = SequenceAttention(
      heads: heads, scale: 0.2, isCausal: isCausal,
      positions: RelativePositions(buckets: 16, maximumDistance: 300, isBidirectional: !isCausal))
    let y = b.attention(attention, parts + [table])
    let graph = b.finish(outputs: [y])
    var weights = Weights()
    for parameter in graph.parameters { weights[parameter.name] = noise(parameter.shape) }
    let ids = (0..<length).map { _ in Int.random(in: 0..<50, using: &generator) }
    let found = try SequencePlan(graph, weights: weights).run(SequenceInput(ids: [ids]))[0]
    let expected = try ReferenceBackend.run(
      graph, weights: weights, input: FloatTensor(shape: [length], values: ids.map(Float.init)))[0]
    #expect(try difference(found, expected) < 1e-5)
  }

  @Test func bucketsEqualTransformers() throws {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("sequences/buckets.json")))
    let expected = try JSONDecoder().decode([String: [Int]].self, from: data)
    for isBidirectional in [true, false] {
      let positions = RelativePositions(buckets: 32, maximumDistance: 128, isBidirectional: isBidirectional)
      #expect((-200...200).map(positions.bucket) == expected[isBidirectional ? "bidirectional" : "causal"])
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let fixture = try TextFixture("bert")
    let plan = try SequencePlan(fixture.graph, weights: fixture.weights)
    #expect(plan.maximumLength == 40)
    #expect(throws: EngineError.sequenceLength(found: 41, limit: 40)) {
      try plan.run(SequenceInput(ids: [[Int](repeating: 1, count: 41)]))
    }
    #expect(throws: EngineError.sequenceLength(found: 0, limit: 40)) { try plan.run(SequenceInput(ids: [[3], []])) }
    #expect(throws: EngineError.noSuchRow(node: "embeddings.word_embeddings", index: 71, rows: 71)) {
      try plan.run(SequenceInput(ids: [[71]]))
    }
    #expect(throws: EngineError.noSuchRow(node: "embeddings.word_embeddings", index: -1, rows: 71)) {
      try plan.run(SequenceInput(ids: [[-1]]))
    }
  }
}
