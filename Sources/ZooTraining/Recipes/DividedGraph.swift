import ZooGraph

/// A graph in two: what runs once for each picture, and what learns from its output.
struct DividedGraph {
  /// Has no nodes where everything learns.
  let frozen: Graph
  let trainable: Graph
  /// The first stage of the part that learns.
  let stage: Int

  /// - Parameter first: the first stage that learns. Where more than one value enters it, the cut stands before an earlier
  ///   one, down to the input.
  init(_ graph: Graph, firstStage first: Int) {
    let cut =
      (0...max(first, 0)).reversed().lazy.compactMap { stage in
        (try? graph.value(entering: stage, ignoringSizes: true)).map { (stage: stage, value: $0) }
      }.first ?? (stage: 0, value: graph.input)
    stage = cut.stage
    var frozen = Self.part(of: graph, graph.nodes.filter { $0.stage < cut.stage })
    frozen.outputs = [cut.value]
    var trainable = Self.part(of: graph, graph.nodes.filter { $0.stage >= cut.stage })
    trainable.input = cut.value
    self.frozen = frozen
    self.trainable = trainable
  }

  private static func part(of graph: Graph, _ nodes: [Node]) -> Graph {
    var part = graph
    part.nodes = nodes
    let used = Set(nodes.flatMap(\.inputs))
    part.parameters = graph.parameters.filter { used.contains($0.value) }
    return part
  }
}
