import ZooCheckpoint
import ZooGraph

extension Network {
  /// Multiplies a BatchNorm's scale into the convolution before it and its shift into the bias.
  ///
  ///     before: x ─► conv(w) ─► batchNorm(γ, β, μ, σ²)
  ///     after:  x ─► conv(w · s, β − μ · s),  s = γ / √(σ² + ε)
  ///
  /// A BatchNorm that follows no convolution, or one whose result others read too, becomes a factor and a shift for each
  /// channel.
  public func foldingBatchNormalization() throws -> Network {
    var network = self
    let parameters = graph.parametersByValue
    let links = Links(self)
    for (index, node) in graph.nodes.enumerated() {
      guard case .batchNormalization(let epsilon, _) = node.operation else { continue }
      let gamma = try values(of: node.inputs[1], in: parameters)
      let beta = try values(of: node.inputs[2], in: parameters)
      let mean = try values(of: node.inputs[3], in: parameters)
      let variance = try values(of: node.inputs[4], in: parameters)
      let scale = zip(gamma, variance).map { Double($0) / (Double($1) + Double(epsilon)).squareRoot() }
      let shift = zip(zip(beta, mean), scale).map { Double($0.0) - Double($0.1) * $1 }
      let line = ChannelLine(scale: scale, shift: shift, name: node.name)
      let x = node.inputs[0]
      if let before = links.soleConvolution(making: x) {
        try network.fold(line, into: before.convolution, at: before.index, parameters)
        network.graph.nodes[before.index].output = node.output
        network.graph.nodes[index].inputs = []
      } else {
        network.graph.nodes[index].operation = .channelAffine(
          scale: line.scale.map(Float.init), shift: line.shift.map(Float.init))
        network.graph.nodes[index].inputs = [x]
      }
    }
    network.graph.nodes.removeAll { $0.inputs.isEmpty }
    return network.removingDeadCode()
  }
}
