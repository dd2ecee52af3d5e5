import ZooCheckpoint
import ZooGraph

extension Network {
  /// Joins neighbouring groups of a grouped convolution until each fills a vector, with zeros where groups don't meet.
  ///
  ///     before: conv(groups: 32, 4 channels each)
  ///     after:  conv(groups: 8, 16 channels each), weights block-diagonal
  ///
  /// The blocked kernels need whole blocks a group; with fewer channels oneDNN falls back to loops that are slower by more
  /// than the zeros cost. Depthwise convolutions have kernels of their own and stay.
  public func wideningGroups(to block: Int) throws -> Network {
    var network = self
    let parameters = graph.parametersByValue
    for (index, node) in graph.nodes.enumerated() {
      guard case .convolution(var convolution) = node.operation, convolution.groups > 1,
        let weight = parameters[node.inputs[1]]
      else { continue }
      let groups = convolution.groups
      let (outputs, inputs) = (weight.shape[0] / groups, weight.shape[1])
      let isDepthwise = inputs == 1 && outputs == 1
      guard !isDepthwise, inputs % block != 0 || outputs % block != 0,
        let joined = (2...groups).first(where: {
          groups % $0 == 0 && inputs * $0 % block == 0 && outputs * $0 % block == 0
        })
      else { continue }
      let area = weight.shape[2] * weight.shape[3]
      let values = try self.values(of: node.inputs[1], in: parameters)
      var widened = [Float](repeating: 0, count: values.count * joined)
      for output in 0..<weight.shape[0] {
        let position = output / outputs % joined
        let target = (output * inputs * joined + position * inputs) * area
        let source = output * inputs * area
        for offset in 0..<inputs * area { widened[target + offset] = values[source + offset] }
      }
      convolution.groups = groups / joined
      network.graph.nodes[index].operation = .convolution(convolution)
      network.graph.nodes[index].inputs[1] = network.addParameter(
        node.name + ".widened.weight", shape: [weight.shape[0], inputs * joined, weight.shape[2], weight.shape[3]],
        values: widened)
    }
    return network.removingDeadCode()
  }
}
