import Testing
import ZooEngine
import ZooGraph

@Suite struct GradientTests {
  @Test(arguments: TinyNetwork.names, [false, true])
  func gradientsEqualTorchs(name: String, batchStatistics: Bool) throws {
    let network = try TinyNetwork(name)
    let plan = try network.trainingPlan(batchStatistics: batchStatistics)
    let kind = batchStatistics ? "batch" : "frozen"
    let step = try network.input.withValues {
      try plan.step($0, labels: network.labels, smoothing: batchStatistics ? 0.1 : 0)
    }
    let loss = try network.values("loss.\(kind)")[0]
    #expect(abs(step.loss - Double(loss)) <= 1e-5 * Double(abs(loss)))
    #expect(plan.layout.slices.count == network.graph.parameters.filter { !$0.isBuffer }.count)
    // A bias before a BatchNorm that uses the batch's statistics has no slope but rounding, of 1e-7 of the largest; and
    // the statistics of few values magnify rounding.
    let bound = batchStatistics ? 2e-3 : 1e-3
    let floor = 1e-3 * Double(plan.gradients.map(abs).max() ?? 0)
    for slice in plan.layout.slices {
      let expected = try network.values("\(kind).\(slice.name)")
      #expect(expected.count == slice.count)
      let difference = relativeDifference(plan.gradients[slice.range], expected, floor: floor)
      #expect(difference <= bound, "\(slice.name) differs by \(difference)")
    }
  }

  /// Along a random direction, (L(p + hd) - L(p - hd)) / 2h is the gradient times d.
  @Test(arguments: TinyNetwork.names)
  func gradientsEqualFiniteDifferences(name: String) throws {
    let network = try TinyNetwork(name)
    let plan = try network.trainingPlan(batchStatistics: false)
    _ = try network.input.withValues { try plan.step($0, labels: network.labels) }
    let (start, gradient) = (plan.parameters, plan.gradients)
    // The gradient's own direction has the largest slope, so that rounding in float32 counts least.
    let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    func loss(_ distance: Double) throws -> Double {
      for index in start.indices { plan.parameters[index] = start[index] + Float(distance / norm) * gradient[index] }
      return try network.input.withValues { try plan.step($0, labels: network.labels) }.loss
    }
    // Cosines times a scale of 100 bend within less.
    let distance = name == "swin_v2" ? 2e-4 : 2e-3
    let slope = (try loss(distance) - (try loss(-distance))) / (2 * distance)
    #expect(abs(slope - norm) <= 2e-2 * norm, "slope \(slope), norm of the gradient \(norm)")
  }

  @Test func frozenParametersGetNoGradient() throws {
    let network = try TinyNetwork("basic")
    let head: Set = ["fc.weight", "fc.bias"]
    let plan = try TrainingPlan(
      graph: network.graph, weights: network.weights, trainable: head,
      inputShape: Array(network.input.shape.dropFirst()))
    _ = try network.input.withValues { try plan.step($0, labels: network.labels) }
    for slice in plan.layout.slices {
      if head.contains(slice.name) {
        let expected = try network.values("frozen.\(slice.name)")
        #expect(relativeDifference(plan.gradients[slice.range], expected) <= 1e-3)
      } else {
        #expect(plan.gradients[slice.range].allSatisfy { $0 == 0 }, "\(slice.name)")
      }
    }
  }

  @Test func onlyBatchStatisticsMove() throws {
    let network = try TinyNetwork("basic")
    let plan = try network.trainingPlan(batchStatistics: true)
    let before = plan.statistics
    _ = try network.input.withValues { try plan.step($0, labels: network.labels) }
    #expect(plan.statistics != before)
    let frozen = try network.trainingPlan(batchStatistics: false)
    let untouched = frozen.statistics
    _ = try network.input.withValues { try frozen.step($0, labels: network.labels) }
    #expect(frozen.statistics == untouched)
  }

  @Test func aLabelBeyondTheClassesIsRefused() throws {
    let network = try TinyNetwork("basic")
    let plan = try network.trainingPlan(batchStatistics: false)
    #expect(throws: EngineError.self) {
      try network.input.withValues { try plan.step($0, labels: [0, 1, 2, 5]) }
    }
  }
}
