import ZooGraph

extension Network {
  /// Lets a convolution or linear layer add a residual and apply an activation before its result is stored.
  ///
  ///     before: x ─► conv ─► add(y) ─► relu
  ///     after:  x, y ─► conv [+ y, relu]
  public func fusingEpilogues() -> Network {
    var network = self
    while let fused = network.fusingOneSum() { network = fused }
    while let fused = network.fusingOneActivation() { network = fused }
    return network
  }

  private func fusingOneSum() -> Network? {
    let links = Links(self)
    for (index, node) in graph.nodes.enumerated() {
      guard case .add = node.operation, node.inputs[0] != node.inputs[1] else { continue }
      // The later of the two producers can read the other's result.
      let candidates = node.inputs.compactMap { value in links.soleProducer(of: value).map { ($0, value) } }.sorted {
        $0.0 > $1.0
      }
      for (producer, value) in candidates {
        guard case .convolution(var convolution) = graph.nodes[producer].operation, convolution.epilogue.isEmpty,
          let residual = node.inputs.first(where: { $0 != value }), links.isDefined(residual, before: producer),
          // The sum takes the residual's memory, which a convolution can't write to while it reads from it.
          residual != graph.nodes[producer].inputs[0]
        else { continue }
        convolution.epilogue.append(.addResidual)
        var network = self
        network.graph.nodes[producer].operation = .convolution(convolution)
        network.graph.nodes[producer].inputs.append(residual)
        network.graph.nodes[producer].output = node.output
        network.graph.nodes.remove(at: index)
        return network
      }
    }
    return nil
  }

  private func fusingOneActivation() -> Network? {
    let links = Links(self)
    for (index, node) in graph.nodes.enumerated() {
      guard case .activation(let kind) = node.operation, let producer = links.soleProducer(of: node.inputs[0]) else {
        continue
      }
      var network = self
      switch graph.nodes[producer].operation {
      case .convolution(var convolution) where !convolution.epilogue.contains(where: \.isActivation):
        convolution.epilogue.append(.activation(kind))
        network.graph.nodes[producer].operation = .convolution(convolution)
      case .linear(let hasBias, let epilogue) where !epilogue.contains(where: \.isActivation):
        network.graph.nodes[producer].operation = .linear(hasBias: hasBias, epilogue: epilogue + [.activation(kind)])
      default: continue
      }
      network.graph.nodes[producer].output = node.output
      network.graph.nodes.remove(at: index)
      return network
    }
    return nil
  }
}

extension Epilogue {
  var isActivation: Bool { if case .activation = self { true } else { false } }
}
