import ZooCheckpoint
import ZooEngine
import ZooGraph

/// What every picture of a batch goes through before it is learnt from.
final class FrozenPart {
  private let graph: Graph
  private let weights: Weights
  private let shape: [Int]
  private let threads: Int?
  private var plans: [Int: Plan] = [:]

  /// - Parameters:
  ///   - graph: has no nodes where all learns.
  ///   - shape: of one picture, [3, height, width].
  init(_ graph: Graph, weights: Weights, shape: [Int], threads: Int?) {
    (self.graph, self.weights, self.shape, self.threads) = (graph, weights, shape, threads)
  }

  /// Of one picture's features.
  ///
  /// - Throws: `GraphError`.
  func featureShape() throws -> [Int] {
    guard !graph.nodes.isEmpty, let output = graph.outputs.first else { return shape }
    return Array(try graph.inferShapes(input: [1] + shape)[output.index].dropFirst())
  }

  /// - Parameters:
  ///   - inputs: [count] + the pictures' shape.
  /// - Returns: [count] + ``featureShape()``.
  /// - Throws: `EngineError`, `GraphError`.
  func features(_ inputs: [Float], count: Int) throws -> [Float] {
    guard !graph.nodes.isEmpty else { return inputs }
    let plan =
      try plans[count]
      ?? compile(graph, weights: weights, inputShape: [count] + shape, options: CompileOptions(threads: threads))
    plans[count] = plan
    var output = [Float](repeating: 0, count: plan.outputShapes[0].reduce(1, *))
    try inputs.withUnsafeBufferPointer { from in
      try output.withUnsafeMutableBufferPointer { try plan.run(from, into: $0) }
    }
    return output
  }
}
