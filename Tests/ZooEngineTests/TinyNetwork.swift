import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A network of `make_engine.py` with what torch says of it.
struct TinyNetwork {
  let graph: Graph
  let weights: Weights
  let input: FloatTensor
  let labels: [Int]
  private let tensors: StateDict

  static let names = [
    "basic", "bottleneck", "grouped", "keras", "inception", "convnext",
    "squeezenet", "googlenet", "densenet", "mobilenet_v2", "mobilenet_v3", "mnasnet", "shufflenet_v2", "regnet",
    "efficientnet", "efficientnet_v2",
    "vit", "swin", "swin_v2", "maxvit",
  ]

  init(_ name: String, folder: String = "engine") throws {
    let checkpoint = try Checkpoint.open(path: Fixture.path("\(folder)/\(name).safetensors"))
    tensors = checkpoint.stateDict
    let json = Data(try #require(checkpoint.metadata.config).utf8)
    let fields = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
    graph = try NetworkFamilies.graph(
      family: fields["family"] as? String ?? "resnet",
      config: fields["config"].map { try JSONSerialization.data(withJSONObject: $0) } ?? json, classes: 5)
    var weights = Weights()
    for (name, tensor) in tensors.tensors where name.hasPrefix("weight.") {
      weights[String(name.dropFirst(7))] = try FloatTensor(tensor)
    }
    self.weights = weights
    input = try FloatTensor(try #require(tensors["input"]))
    labels = try #require(tensors["labels"]).floats().map { Int($0) }
  }

  func values(_ name: String) throws -> [Float] { try #require(tensors[name]).floats() }

  /// Names of the layers that normalise by batch or running statistics.
  var norms: Set<String> {
    Set(
      graph.nodes.compactMap { node in
        if case .batchNormalization = node.operation { node.name } else { nil }
      })
  }

  /// A plan in which every parameter learns.
  func trainingPlan(batchStatistics: Bool) throws -> TrainingPlan {
    try TrainingPlan(
      graph: graph, weights: weights, trainable: Set(graph.parameters.filter { !$0.isBuffer }.map(\.name)),
      inputShape: Array(input.shape.dropFirst()),
      options: TrainingOptions(threads: 2, dropsOut: false, batchStatistics: batchStatistics ? norms : []))
  }
}

/// Euclidean norm of the difference over that of the reference.
///
/// - Parameter floor: what an element of the reference counts for at least.
func relativeDifference(_ found: some Sequence<Float>, _ expected: [Float], floor: Double = 0) -> Double {
  var (difference, norm) = (0.0, 0.0)
  for (a, b) in zip(found, expected) {
    difference += Double(a - b) * Double(a - b)
    norm += Double(b) * Double(b)
  }
  return (difference / max(norm, floor * floor * Double(expected.count), 1e-30)).squareRoot()
}
