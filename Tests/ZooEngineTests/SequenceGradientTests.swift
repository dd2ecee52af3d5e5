import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooEngine

/// A network of `make_sequences.py` with what `make_sequence_gradients.py` says of its way back.
private struct GradientFixture {
  let graph: Graph
  let weights: Weights
  let batch: SequenceBatch
  let targets: SequenceTargets
  let loss: Double
  let gradients: Weights

  init(_ name: String) throws {
    let network = try TextNetworkFixture(name)
    graph = try NetworkFamilies.graph(family: network.family, config: network.config, classes: network.classes)
    weights = network.weights
    batch = SequenceBatch(
      .tokens(SequenceInput(ids: try #require(try network.value("ids")), typeIDs: try network.value("types"))),
      decoder: try network.value("decoder"))
    let answer = try Checkpoint.open(path: Fixture.path("sequence_gradients/\(name).safetensors"))
    let others = answer.metadata.others
    let columns = try JSONDecoder().decode([Int].self, from: Data((others["targets"] ?? "").utf8))
    targets = SequenceTargets(columns, smoothing: try #require(others["smoothing"].flatMap(Float.init)))
    loss = try #require(others["loss"].flatMap(Double.init))
    gradients = try answer.stateDict.floatWeights()
  }

  var names: Set<String> { Set(graph.parameters.map(\.name)) }

  func plan(_ trainable: Set<String>) throws -> SequenceTrainingPlan {
    try SequenceTrainingPlan(
      graph: graph, weights: weights, trainable: trainable, options: TrainingOptions(dropsOut: false))
  }
}

@Suite struct SequenceGradientTests {
  /// Euclidean distance, as a share of the expected length; gradients far below the network's largest count as zero.
  private func distance(_ found: ArraySlice<Float>, _ expected: FloatTensor, floor: Double) throws -> Double {
    let expected = try expected.values()
    try #require(found.count == expected.count)
    var (difference, length) = (0.0, 0.0)
    for (a, b) in zip(found, expected) {
      difference += pow(Double(a) - Double(b), 2)
      length += Double(b) * Double(b)
    }
    return difference.squareRoot() / max(length.squareRoot(), floor * Double(expected.count).squareRoot())
  }

  /// Gradients of a key's bias are zero but for rounding: softmax knows no shift.
  private func floor(_ fixture: GradientFixture) throws -> Double {
    1e-4 * Double(try fixture.gradients.values.flatMap { try $0.values() }.map(abs).max() ?? 0)
  }

  @Test(arguments: SequenceTests.names)
  func gradientsEqualTorch(_ name: String) throws {
    let fixture = try GradientFixture(name)
    try #require(fixture.names == Set(fixture.gradients.keys))
    let plan = try fixture.plan(fixture.names)
    let outcome = try plan.step(fixture.batch, fixture.targets)
    #expect(abs(outcome.loss / Double(outcome.count) - fixture.loss) < 1e-5 * fixture.loss)
    let floor = try floor(fixture)
    for slice in plan.layout.slices {
      let expected = try #require(fixture.gradients[slice.name])
      #expect(try distance(plan.gradients[slice.range], expected, floor: floor) < 5e-4, "\(slice.name)")
    }
  }

  /// What is frozen has no gradient, and what is not has the same one.
  @Test(arguments: ["bert_sequences", "distilbert_masked_lm", "gpt2", "t5_gated"])
  func frozenPartsChangeNothing(_ name: String) throws {
    let fixture = try GradientFixture(name)
    let some = fixture.names.filter { $0.contains(".1.") || $0.contains("embeddings") }
    try #require(!some.isEmpty && some.count < fixture.names.count)
    let plan = try fixture.plan(some)
    _ = try plan.step(fixture.batch, fixture.targets)
    #expect(Set(plan.layout.slices.map(\.name)) == some)
    let floor = try floor(fixture)
    for slice in plan.layout.slices {
      let expected = try #require(fixture.gradients[slice.name])
      #expect(try distance(plan.gradients[slice.range], expected, floor: floor) < 5e-4, "\(slice.name)")
    }
  }

  /// The loss along the gradient and against it, with what drops out held still.
  @Test(arguments: ["bert_tokens", "roberta_sequences", "gpt2", "t5", "t5_gated"])
  func gradientsEqualFiniteDifferences(_ name: String) throws {
    let fixture = try GradientFixture(name)
    let plan = try SequenceTrainingPlan(graph: fixture.graph, weights: fixture.weights, trainable: fixture.names)
    func loss() throws -> Double { try plan.step(fixture.batch, fixture.targets, seed: 7).loss }
    let count = Double(try plan.step(fixture.batch, fixture.targets, seed: 7).count)
    let (before, gradient) = (plan.parameters, plan.gradients)
    let square = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
    let reach = 3e-4 / square.squareRoot()
    var losses: [Double] = []
    for sign in [1.0, -1.0] {
      plan.parameters = zip(before, gradient).map { $0 + Float(sign * reach) * $1 }
      losses.append(try loss() / count)
    }
    let slope = (losses[0] - losses[1]) / (2 * reach)
    // A rectifier in reach of its edge bends the loss a little.
    #expect(abs(slope - square) < 0.03 * square)
  }

  /// More queries and keys than a tile has, unequal ones, and a bias.
  @Test(arguments: [true, false])
  func longAttentionsEqualFiniteDifferences(_ isCausal: Bool) throws {
    var b = GraphBuilder()
    b.beginStage("layer")
    let x = b.embedding("words", rows: 20, width: 20)
    let table = b.ownParameter("table", [16, 2])
    let attention = SequenceAttention(
      heads: 2, scale: 0.3, isCausal: isCausal,
      positions: RelativePositions(buckets: 16, maximumDistance: 60, isBidirectional: !isCausal))
    let y = b.attention(attention, ["q", "k", "v"].map { b.linear($0, x, from: 20, to: 20) } + [table])
    let graph = b.finish(outputs: [b.linear("head", y, from: 20, to: 7)])
    var generator = SeededGenerator(seed: 3)
    var weights = Weights()
    for parameter in graph.parameters {
      let values = (0..<parameter.shape.reduce(1, *)).map { _ in Float.random(in: -0.6...0.6, using: &generator) }
      weights[parameter.name] = FloatTensor(shape: parameter.shape, values: values)
    }
    let lengths = [131, 1, 50]
    let ids = lengths.map { length in (0..<length).map { _ in Int.random(in: 0..<20, using: &generator) } }
    let batch = SequenceBatch(.tokens(SequenceInput(ids: ids)))
    let targets = SequenceTargets((0..<lengths.reduce(0, +)).map { _ in Int.random(in: 0..<7, using: &generator) })
    let plan = try SequenceTrainingPlan(
      graph: graph, weights: weights, trainable: Set(graph.parameters.map(\.name)),
      options: TrainingOptions(dropsOut: false))
    let count = Double(try plan.step(batch, targets).count)
    let (before, gradient) = (plan.parameters, plan.gradients)
    for slice in plan.layout.slices {
      let square = gradient[slice.range].reduce(0.0) { $0 + Double($1) * Double($1) }
      // Softmax knows no difference between a key's shift and none.
      guard slice.name != "k.bias" else { continue }
      let reach = 1e-2 / square.squareRoot()
      var losses: [Double] = []
      for sign in [1.0, -1.0] {
        plan.parameters = before
        for index in slice.range { plan.parameters[index] += Float(sign * reach) * gradient[index] }
        losses.append(try plan.judge(batch, targets).loss / count)
      }
      #expect(abs((losses[0] - losses[1]) / (2 * reach) - square) < 0.02 * square, "\(slice.name)")
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let fixture = try GradientFixture("bert_sequences")
    let plan = try fixture.plan(fixture.names)
    #expect(throws: EngineError.inputShape(expected: [4, 5], found: [3, 1])) {
      try plan.step(fixture.batch, SequenceTargets([0, 1, 1]))
    }
    #expect(throws: EngineError.inputShape(expected: [4, 5], found: [4, 5])) {
      try plan.step(fixture.batch, SequenceTargets([0, 1, 5, 1]))
    }
    #expect(throws: EngineError.inputShape(expected: [1], found: [0])) {
      try plan.step(fixture.batch, SequenceTargets([-1, -1, -1, -1]))
    }
    #expect(throws: EngineError.noSuchRow(node: "bert.embeddings.word_embeddings", index: 71, rows: 71)) {
      try plan.output(SequenceBatch(.tokens(SequenceInput(ids: [[71]]))))
    }
    #expect(throws: EngineError.sequenceLength(found: 41, limit: 40)) {
      try plan.output(SequenceBatch(.tokens(SequenceInput(ids: [[Int](repeating: 1, count: 41)]))))
    }
  }

  /// Outputs on the way forward are those of the compiled plan, and dropout drops a tenth.
  @Test func dropoutFollowsItsSeed() throws {
    let fixture = try GradientFixture("bert_sequences")
    let plan = try SequenceTrainingPlan(graph: fixture.graph, weights: fixture.weights, trainable: fixture.names)
    let plain = try plan.judge(fixture.batch, fixture.targets).loss
    let losses = try [1, 1, 2].map { try plan.step(fixture.batch, fixture.targets, seed: $0).loss }
    #expect(losses[0] == losses[1] && losses[0] != losses[2] && losses[0] != plain)
  }
}
