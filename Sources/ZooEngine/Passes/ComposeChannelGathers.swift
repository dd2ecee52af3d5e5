import ZooGraph

extension Network {
  /// Takes channels from where they were made, not from where they were put side by side or reordered before.
  ///
  ///     before: a, b ─► concatenate ─► shuffle ─► split
  ///     after:  a, b ─► gather
  ///
  /// Nodes that nobody reads then go away.
  /// - Throws: `GraphError`.
  public func composingChannelGathers(inputShape: [Int]) throws -> Network {
    let shapes = try graph.inferShapes(input: inputShape)
    var network = self
    var made: [ValueID: Node] = [:]
    for (index, node) in graph.nodes.enumerated() {
      var node = node
      if case .gatherChannels(let channels) = node.operation {
        node.inputs = []
        let origins = channels.map { Self.origin(of: $0, in: graph.nodes[index].inputs, made, shapes) }
        var starts: [ValueID: Int] = [:]
        var count = 0
        for origin in origins where starts[origin.value] == nil {
          starts[origin.value] = count
          count += shapes[origin.value.index][1]
          node.inputs.append(origin.value)
        }
        node.operation = .gatherChannels(origins.map { (starts[$0.value] ?? 0) + $0.channel })
        network.graph.nodes[index] = node
      }
      made[node.output] = node
    }
    return network.removingDeadCode()
  }

  /// The value that makes a channel of several values side by side, and its number there.
  private static func origin(
    of channel: Int, in parts: [ValueID], _ made: [ValueID: Node], _ shapes: [[Int]]
  ) -> (value: ValueID, channel: Int) {
    var (parts, channel) = (parts, channel)
    while true {
      var place = 0
      while place + 1 < parts.count, channel >= shapes[parts[place].index][1] {
        channel -= shapes[parts[place].index][1]
        place += 1
      }
      guard let node = made[parts[place]] else { return (parts[place], channel) }
      switch node.operation {
      case .concatenate(axis: 1): parts = node.inputs
      case .gatherChannels(let channels):
        parts = node.inputs
        channel = channels[channel]
      default: return (parts[place], channel)
      }
    }
  }
}
