import ZooCheckpoint
import ZooGraph

extension Network {
  /// Computes what depends on parameters alone, once, in double precision.
  ///
  ///     before: table ─► reshape ─► linear ─► relu ─► attention(x, …)
  ///     after:  folded ─► attention(x, …)
  ///
  /// - Throws: `GraphError`, ``EngineError``.
  public func foldingConstants() throws -> Network {
    let parameters = graph.parametersByValue
    var constants = Set(parameters.keys)
    var folded: [Node] = []
    for node in graph.nodes where node.inputs.allSatisfy(constants.contains) {
      constants.insert(node.output)
      folded.append(node)
    }
    guard !folded.isEmpty else { return self }
    let made = Set(folded.map(\.output))
    let rest = graph.nodes.filter { !made.contains($0.output) }
    let wanted = Set(rest.flatMap(\.inputs)).union(graph.outputs).intersection(made).sorted()
    var part = graph
    part.nodes = folded
    part.outputs = wanted
    let read = Set(folded.flatMap(\.inputs))
    part.parameters.removeAll { !read.contains($0.value) }
    let results = try ReferenceBackend.run(part, weights: weights, input: FloatTensor(shape: [1], values: [0]))
    var network = self
    network.graph.nodes = rest
    for (value, result) in zip(wanted, results) {
      let name = folded.first { $0.output == value }?.name ?? "constant"
      network.replace(
        value,
        with: network.addParameter(
          "\(name).\(value.index).folded", shape: result.shape, values: try result.values()))
    }
    return network.removingDeadCode()
  }

  /// Takes out rearrangements that put every pixel where it was, such as padding to a multiple that the picture is.
  ///
  ///     before: x ─► padToMultiple(7, 7) ─► linear
  ///     after:  x ─► linear
  ///
  /// - Throws: `GraphError`.
  public func removingIdleRearrangements(inputShape: [Int]) throws -> Network {
    let shapes = try graph.inferShapes(input: inputShape)
    var network = self
    for node in graph.nodes {
      let operands = node.inputs.map { shapes[$0.index] }
      guard case .rearrange(let rearrangement) = node.operation,
        rearrangement.map(operands)?.isIdentity(of: operands[0]) == true,
        let current = network.graph.nodes.first(where: { $0.output == node.output })
      else { continue }
      network.replace(node.output, with: current.inputs[0])
    }
    return network.removingDeadCode()
  }
}
