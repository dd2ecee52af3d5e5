import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Networks of `make_segmentation.py`: a class for each pixel.
@Suite struct SegmentationTests {
  static let names = ["fcn", "deeplabv3", "lraspp"]

  private func network(_ name: String) throws -> TinyNetwork { try TinyNetwork(name, folder: "segmentation") }

  @Test(arguments: names)
  func logitsOfEachPixelEqualTorchs(name: String) throws {
    let network = try network(name)
    let expected = try network.values("logits")
    let largest = expected.map(abs).max() ?? 0
    let plan = try compile(
      network.graph, weights: network.weights, inputShape: network.input.shape, options: CompileOptions(threads: 2))
    #expect(plan.outputShapes == [[2, 5] + network.input.shape[2...]])
    let found = try plan.run(network.input)[0].values()
    let reference = try ReferenceBackend.run(network.graph, weights: network.weights, input: network.input)[0].values()
    #expect(found.count == expected.count && reference.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-4 * largest })
    #expect(zip(reference, expected).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
  }

  @Test(arguments: names)
  func everyTensorOfTheStateDictIsExpected(name: String) throws {
    let network = try network(name)
    #expect(Set(network.graph.parameters.map(\.name)) == Set(network.weights.keys))
    for parameter in network.graph.parameters { #expect(network.weights[parameter.name]?.shape == parameter.shape) }
  }

  /// The mean over the pixels makes a classifier of it, which training takes.
  @Test(arguments: names)
  func gradientsEqualTorchs(name: String) throws {
    let network = try network(name)
    var graph = network.graph
    for operation: Operation in [.adaptiveAveragePool(height: 1, width: 1), .flatten] {
      let value = graph.makeValue()
      graph.nodes.append(
        Node(operation: operation, inputs: graph.outputs, output: value, name: "mean", stage: graph.stages.count - 1))
      graph.outputs = [value]
    }
    let used = Set(graph.nodes.flatMap(\.inputs))
    let trainable = Set(graph.parameters.filter { !$0.isBuffer && used.contains($0.value) }.map(\.name))
    let plan = try TrainingPlan(
      graph: graph, weights: network.weights, trainable: trainable, inputShape: Array(network.input.shape.dropFirst()),
      options: TrainingOptions(threads: 2, dropsOut: false, batchStatistics: []))
    _ = try network.input.withValues { try plan.step($0, labels: network.labels) }
    let floor = 1e-3 * Double(plan.gradients.map(abs).max() ?? 0)
    for slice in plan.layout.slices where trainable.contains(slice.name) {
      let expected = try network.values("gradient.\(slice.name)")
      let difference = relativeDifference(plan.gradients[slice.range], expected, floor: floor)
      #expect(difference <= 1e-3, "\(slice.name) differs by \(difference)")
    }
  }
}
