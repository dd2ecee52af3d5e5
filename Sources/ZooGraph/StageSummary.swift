/// What a stage holds, costs and gives, for one input.
public struct StageSummary: Sendable, Equatable {
  public let name: String
  /// Convolutions and linear layers.
  public let layers: Int
  /// Trainable scalars.
  public let parameters: Int
  /// As ``Graph/multiplyAdds(input:)`` counts them.
  public let multiplyAdds: Double
  /// Shape of the stage's last value.
  public let output: [Int]
}

extension Graph {
  /// One summary a stage, the stem first.
  ///
  /// - Throws: ``GraphError``.
  public func stageSummaries(input shape: [Int]) throws(GraphError) -> [StageSummary] {
    let shapes = try inferShapes(input: shape)
    let known = parametersByValue
    return stages.indices.map { stage in
      let nodes = nodes.filter { $0.stage == stage }
      let owned = Set(nodes.flatMap(\.inputs)).compactMap { known[$0] }.filter { !$0.isBuffer }
      return StageSummary(
        name: stages[stage],
        layers: nodes.count { $0.isLayer },
        parameters: owned.reduce(0) { $0 + $1.shape.reduce(1, *) },
        multiplyAdds: nodes.reduce(0) { $0 + $1.multiplyAdds(shapes) },
        output: nodes.last.map { shapes[$0.output.index] } ?? [])
    }
  }
}
