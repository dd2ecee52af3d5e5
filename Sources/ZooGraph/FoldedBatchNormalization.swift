extension Graph {
  /// The same network as exporters write it for inference: every BatchNorm that directly follows a convolution is gone,
  /// its scale in that convolution's weight and its shift in a bias of its own, `conv1.bias`.
  ///
  /// What the BatchNorm was can't be found again: weights for this graph are none for the original.
  public func foldingBatchNormalization() -> Graph {
    var graph = self
    let producers = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.output, $0) })
    var readers: [ValueID: Int] = [:]
    for node in nodes { for value in node.inputs { readers[value, default: 0] += 1 } }
    var folded: Set<Int> = []
    for (index, node) in nodes.enumerated() {
      guard case .batchNormalization = node.operation, let x = node.inputs.first, let before = producers[x],
        case .convolution(var convolution) = nodes[before].operation, readers[x] == 1, !outputs.contains(x)
      else { continue }
      if !convolution.hasBias {
        convolution.hasBias = true
        let channels = graph.parameters.first { $0.value == node.inputs[1] }?.shape ?? []
        let bias = graph.makeValue()
        graph.parameters.append(
          Parameter(name: nodes[before].name + ".bias", shape: channels, isBuffer: false, value: bias))
        graph.nodes[before].inputs.append(bias)
        graph.nodes[before].operation = .convolution(convolution)
      }
      graph.nodes[before].output = node.output
      folded.insert(index)
    }
    graph.nodes = graph.nodes.enumerated().filter { !folded.contains($0.offset) }.map(\.element)
    let used = Set(graph.nodes.flatMap(\.inputs))
    graph.parameters.removeAll { !used.contains($0.value) }
    return graph
  }
}
