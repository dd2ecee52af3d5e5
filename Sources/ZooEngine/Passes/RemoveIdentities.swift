import ZooGraph

extension Network {
  /// Takes out what does nothing when a network is only run.
  ///
  ///     before: flatten ─► dropout ─► linear
  ///     after:  flatten ─► linear
  public func removingIdentities() -> Network {
    var network = self
    for node in graph.nodes {
      if case .dropout = node.operation { network.replace(node.output, with: network.graph.source(of: node)) }
    }
    return network.removingDeadCode()
  }

  /// Takes out nodes whose output nobody reads, and parameters that no node reads.
  ///
  ///     before: x ─► conv ─► output;  x ─► conv ─► (nobody)
  ///     after:  x ─► conv ─► output
  public func removingDeadCode() -> Network {
    var network = self
    var live = Set(graph.outputs)
    var kept: [Node] = []
    for node in network.graph.nodes.reversed() where live.contains(node.output) {
      live.formUnion(node.inputs)
      kept.append(node)
    }
    network.graph.nodes = kept.reversed()
    network.graph.parameters.removeAll { !live.contains($0.value) }
    let names = Set(network.graph.parameters.map(\.name))
    network.weights = network.weights.filter { names.contains($0.key) }
    return network
  }
}

extension Graph {
  /// What stands before a node with one input, chains of dropouts skipped.
  fileprivate func source(of node: Node) -> ValueID {
    var value = node.inputs[0]
    while let before = nodes.first(where: { $0.output == value }), case .dropout = before.operation {
      value = before.inputs[0]
    }
    return value
  }
}
