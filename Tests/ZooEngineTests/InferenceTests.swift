import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

@Suite struct InferenceTests {
  private func logits(_ network: TinyNetwork, rows: Range<Int>) throws -> [Float] {
    let each = network.input.count / network.input.shape[0]
    let shape = [rows.count] + network.input.shape.dropFirst()
    let plan = try compile(
      network.graph, weights: network.weights, inputShape: shape, options: CompileOptions(threads: 2))
    let values = try network.input.values()
    let part = Array(values[rows.lowerBound * each..<rows.upperBound * each])
    return try plan.run(FloatTensor(shape: shape, values: part))[0].values()
  }

  @Test(arguments: TinyNetwork.names)
  func logitsEqualTorchs(name: String) throws {
    let network = try TinyNetwork(name)
    let expected = try network.values("logits")
    let largest = expected.map(abs).max() ?? 0
    let found = try logits(network, rows: 0..<network.labels.count)
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-4 * largest) }
  }

  @Test(arguments: TinyNetwork.names)
  func aPictureAloneGivesWhatItGivesInABatch(name: String) throws {
    let network = try TinyNetwork(name)
    let together = try logits(network, rows: 0..<network.labels.count)
    let largest = together.map(abs).max() ?? 0
    for row in network.labels.indices {
      for (a, b) in zip(try logits(network, rows: row..<row + 1), together[row * 5..<row * 5 + 5]) {
        #expect(abs(a - b) <= 1e-5 * largest)
      }
    }
  }

  @Test(arguments: TinyNetwork.names)
  func namesOfStepsNeedNotDiffer(name: String) throws {
    let network = try TinyNetwork(name)
    let expected = try network.values("logits")
    var graph = network.graph
    for index in graph.nodes.indices { graph.nodes[index].name = "step" }
    let plan = try compile(graph, weights: network.weights, inputShape: network.input.shape)
    let largest = expected.map(abs).max() ?? 0
    for (a, b) in zip(try plan.run(network.input)[0].values(), expected) { #expect(abs(a - b) <= 1e-4 * largest) }
  }

  @Test func onePlanRunsOnManyThreadsAtOnce() async throws {
    let network = try TinyNetwork("basic")
    let plan = try compile(
      network.graph, weights: network.weights, inputShape: network.input.shape, options: CompileOptions(threads: 1))
    let alone = try plan.run(network.input)[0].values()
    let input = network.input
    try await withThrowingTaskGroup(of: [Float].self) { group in
      for _ in 0..<8 { group.addTask { try plan.run(input)[0].values() } }
      for try await values in group { #expect(values == alone) }
    }
  }

  @Test func missingAndMisshapenWeightsAreNamed() throws {
    let network = try TinyNetwork("basic")
    var weights = network.weights
    weights["fc.weight"] = nil
    #expect(throws: EngineError.self) {
      try compile(network.graph, weights: weights, inputShape: network.input.shape)
    }
    weights["fc.weight"] = FloatTensor(shape: [5, 3], values: [Float](repeating: 0, count: 15))
    #expect(throws: EngineError.self) {
      try compile(network.graph, weights: weights, inputShape: network.input.shape)
    }
  }

  @Test func anInputOfAnotherShapeIsRefused() throws {
    let network = try TinyNetwork("basic")
    let plan = try compile(network.graph, weights: network.weights, inputShape: [1, 3, 9, 9])
    #expect(throws: EngineError.self) {
      try plan.run(FloatTensor(shape: [1, 3, 8, 9], values: [Float](repeating: 0, count: 216)))
    }
  }
}
