import ZooCheckpoint
import ZooGraph

extension Network {
  /// Turns linear layers that run at every pixel into 1×1 convolutions, which keep the blocked layout and add residuals.
  ///
  ///     before: x [N, I, H, W] ─► linear(w [O, I])
  ///     after:  x [N, I, H, W] ─► conv(w [O, I, 1, 1])
  ///
  /// - Throws: `GraphError`, ``EngineError``.
  public func turningLinearsIntoConvolutions(inputShape: [Int]) throws -> Network {
    let shapes = try graph.inferShapes(input: inputShape)
    let parameters = graph.parametersByValue
    var network = self
    for (index, node) in graph.nodes.enumerated() {
      guard case .linear(let hasBias, let epilogue) = node.operation, shapes[node.inputs[0].index].count == 4,
        let weight = parameters[node.inputs[1]]
      else { continue }
      var convolution = Convolution(hasBias: hasBias)
      convolution.epilogue = epilogue
      network.graph.nodes[index].operation = .convolution(convolution)
      network.graph.nodes[index].inputs[1] = network.addParameter(
        weight.name + ".window", shape: weight.shape + [1, 1], values: try values(of: node.inputs[1], in: parameters))
    }
    return network.removingDeadCode()
  }
}
