import ZooCheckpoint
import ZooGraph

extension Network {
  /// Multiplies a BatchNorm's scale into the convolution before it and its shift into the bias.
  ///
  ///     before: x ─► conv(w) ─► batchNorm(γ, β, μ, σ²)
  ///     after:  x ─► conv(w · s, β − μ · s),  s = γ / √(σ² + ε)
  ///
  /// A BatchNorm that follows no convolution, or one whose result others read too, becomes a 1×1 depthwise convolution.
  public func foldingBatchNormalization() throws -> Network {
    var network = self
    let parameters = graph.parametersByValue
    let producers = producers
    let consumers = consumers
    for (index, node) in graph.nodes.enumerated() {
      guard case .batchNormalization(let epsilon, _) = node.operation else { continue }
      let gamma = try values(of: node.inputs[1], in: parameters)
      let beta = try values(of: node.inputs[2], in: parameters)
      let mean = try values(of: node.inputs[3], in: parameters)
      let variance = try values(of: node.inputs[4], in: parameters)
      let scale = zip(gamma, variance).map { Double($0) / (Double($1) + Double(epsilon)).squareRoot() }
      let shift = zip(zip(beta, mean), scale).map { Double($0.0) - Double($0.1) * $1 }
      let x = node.inputs[0]
      if let before = producers[x], case .convolution(let convolution) = graph.nodes[before].operation,
        convolution.epilogue.isEmpty, consumers[x]?.count == 1, !graph.outputs.contains(x)
      {
        try network.scale(convolution, at: before, by: scale, shift: shift, named: node.name, parameters)
        network.graph.nodes[before].output = node.output
        network.graph.nodes[index].inputs = []
      } else {
        let weight = network.addParameter(
          node.name + ".scale", shape: [scale.count, 1, 1, 1], values: scale.map(Float.init))
        let bias = network.addParameter(node.name + ".shift", shape: [shift.count], values: shift.map(Float.init))
        network.graph.nodes[index].operation = .convolution(Convolution(groups: scale.count, hasBias: true))
        network.graph.nodes[index].inputs = [x, weight, bias]
      }
    }
    network.graph.nodes.removeAll { $0.inputs.isEmpty }
    return network.removingDeadCode()
  }

  /// Multiplies a convolution's outputs by `scale` and adds `shift`, both a number a channel.
  mutating func scale(
    _ convolution: Convolution, at index: Int, by scale: [Double], shift: [Double], named name: String,
    _ parameters: [ValueID: Parameter]
  ) throws {
    var node = graph.nodes[index]
    guard let weight = parameters[node.inputs[1]], weight.shape[0] == scale.count else {
      throw EngineError.missingWeight(name: node.name + ".weight")
    }
    var values = try self.values(of: node.inputs[1], in: parameters)
    let step = values.count / max(scale.count, 1)
    for channel in scale.indices {
      for position in channel * step..<(channel + 1) * step {
        values[position] = Float(Double(values[position]) * scale[channel])
      }
    }
    var bias = shift
    if convolution.hasBias {
      let old = try self.values(of: node.inputs[2], in: parameters)
      for channel in bias.indices { bias[channel] += Double(old[channel]) * scale[channel] }
    }
    var folded = convolution
    folded.hasBias = true
    node.operation = .convolution(folded)
    node.inputs = [
      node.inputs[0], addParameter(name + ".folded.weight", shape: weight.shape, values: values),
      addParameter(name + ".folded.bias", shape: [bias.count], values: bias.map(Float.init)),
    ]
    graph.nodes[index] = node
  }
}
