import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// A network without its last layer: what it knows of a picture before it decides on a class.
public final class FeatureExtractor: PictureNetwork, Sendable {
  public let preprocessing: Preprocessing
  public let batch: Int
  /// Numbers a picture.
  public let count: Int
  private let plan: Plan

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, `PictureError`.
  public init(_ model: LoadedModel, batch: Int = 1, threads: Int? = nil) throws {
    try model.require(.imageClassification)
    try model.preprocessing.check()
    preprocessing = model.preprocessing
    self.batch = batch
    guard let graph = model.graph.beforeHead else { throw ModelError.noFeatures(model: model.name ?? model.path) }
    plan = try compile(
      graph, weights: model.weights, inputShape: [batch, 3] + preprocessing.size,
      options: CompileOptions(threads: threads))
    count = plan.outputShapes[0].dropFirst().reduce(1, *)
  }

  /// - Throws: `EngineError`.
  public func run(prepared pictures: [FloatTensor]) throws -> [[Float]] {
    let values = try plan.run(batched(pictures, batch: batch))[0].values()
    return pictures.indices.map { Array(values[$0 * count..<($0 + 1) * count]) }
  }
}

extension Graph {
  /// The part that leads to the input of the last layer, without the parameters behind it, which a file may lack; nil where
  /// no layer makes the classes.
  var beforeHead: Graph? {
    guard let head = headModule, let layer = nodes.last(where: { $0.name == head }), let features = layer.inputs.first
    else { return nil }
    var wanted: Set<ValueID> = [features]
    var kept: [Node] = []
    for node in nodes.reversed() where wanted.contains(node.output) {
      kept.insert(node, at: 0)
      wanted.formUnion(node.inputs)
    }
    var part = self
    part.nodes = kept
    part.outputs = [features]
    part.parameters = parameters.filter { wanted.contains($0.value) }
    return part
  }
}
