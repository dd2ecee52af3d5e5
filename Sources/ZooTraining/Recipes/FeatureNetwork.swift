import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The part of a network behind a cut, ready to judge features.
struct FeatureNetwork {
  private static let batch = 16
  private let plan: Plan
  private let shape: [Int]

  /// - Parameter shape: of one example's features.
  /// - Throws: `EngineError`, `GraphError`.
  init(_ graph: Graph, weights: Weights, shape: [Int], threads: Int?) throws {
    self.shape = shape
    plan = try compile(
      graph, weights: weights, inputShape: [Self.batch] + shape, options: CompileOptions(threads: threads))
  }

  /// A row of logits an example.
  func logits(_ features: [FloatTensor]) throws -> [[Float]] {
    let size = shape.reduce(1, *)
    let classes = plan.outputShapes[0].dropFirst().reduce(1, *)
    var rows: [[Float]] = []
    for start in stride(from: 0, to: features.count, by: Self.batch) {
      let part = Array(features[start..<min(start + Self.batch, features.count)])
      var input = try FloatTensor.joined(part, count: size)
      input += [Float](repeating: 0, count: Self.batch * size - input.count)
      let output = try plan.run(FloatTensor(shape: [Self.batch] + shape, values: input))[0].values()
      for row in part.indices { rows.append(Array(output[row * classes..<(row + 1) * classes])) }
    }
    return rows
  }
}

extension FloatTensor {
  /// The values of all, one tensor after another; `count` is that of each.
  static func joined(_ tensors: [FloatTensor], count: Int) throws -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(tensors.count * count)
    for tensor in tensors { try tensor.withValues { values.append(contentsOf: $0) } }
    return values
  }
}
