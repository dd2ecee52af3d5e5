import ZooCheckpoint
import ZooGraph

extension Network {
  /// Takes a factor for each channel into the convolution beside it.
  ///
  ///     before: x ─► conv(w, b) ─► channelScale(s)          x ─► channelAffine(s, t) ─► conv(w, b)
  ///     after:  x ─► conv(s · w, s · b)                     x ─► conv(w · s, b + w · t)
  ///
  /// The second needs a convolution that pads nothing, for padding stands behind the factors. What finds no convolution
  /// becomes a 1×1 depthwise one.
  public func foldingChannelScales() throws -> Network {
    var network = self
    while let folded = try network.foldingOneScale() { network = folded }
    return network.removingDeadCode()
  }

  private func foldingOneScale() throws -> Network? {
    let parameters = graph.parametersByValue
    for (index, node) in graph.nodes.enumerated() {
      let x = node.inputs[0]
      let scale: [Double]
      let shift: [Double]
      switch node.operation {
      case .channelScale:
        scale = try values(of: node.inputs[1], in: parameters).map(Double.init)
        shift = scale.map { _ in 0 }
      case .channelAffine(let factors, let offsets):
        (scale, shift) = (factors.map(Double.init), offsets.map(Double.init))
      default: continue
      }
      var network = self
      if let before = soleConvolution(making: x) {
        try network.scale(before.convolution, at: before.index, by: scale, shift: shift, named: node.name, parameters)
        network.graph.nodes[before.index].output = node.output
        network.graph.nodes.remove(at: index)
      } else if let after = soleReader(of: node.output),
        case .convolution(let convolution) = graph.nodes[after].operation,
        convolution.groups == 1, convolution.padding == .symmetric(0), graph.nodes[after].inputs[0] == node.output
      {
        try network.scaleInputs(convolution, at: after, by: scale, shift: shift, named: node.name, parameters)
        network.graph.nodes[after].inputs[0] = x
        network.graph.nodes.remove(at: index)
      } else {
        network.graph.nodes[index].operation = .convolution(Convolution(groups: scale.count, hasBias: true))
        network.graph.nodes[index].inputs = [
          x,
          network.addParameter(
            node.name + ".scale", shape: [scale.count, 1, 1, 1], values: scale.map(Float.init)),
          network.addParameter(node.name + ".shift", shape: [shift.count], values: shift.map(Float.init)),
        ]
      }
      return network
    }
    return nil
  }

  /// The convolution without epilogue that makes `value`, where one node alone reads it.
  private func soleConvolution(making value: ValueID) -> (index: Int, convolution: Convolution)? {
    guard let index = producers[value], case .convolution(let convolution) = graph.nodes[index].operation,
      convolution.epilogue.isEmpty, consumers[value]?.count == 1, !graph.outputs.contains(value)
    else { return nil }
    return (index, convolution)
  }

  private func soleReader(of value: ValueID) -> Int? {
    guard let readers = consumers[value], readers.count == 1, !graph.outputs.contains(value) else { return nil }
    return readers.first
  }

  /// Lets a convolution that pads nothing read x where it read scale · x + shift.
  private mutating func scaleInputs(
    _ convolution: Convolution, at index: Int, by scale: [Double], shift: [Double], named name: String,
    _ parameters: [ValueID: Parameter]
  ) throws {
    var node = graph.nodes[index]
    guard let weight = parameters[node.inputs[1]], weight.shape[1] == scale.count else {
      throw EngineError.missingWeight(name: node.name + ".weight")
    }
    var values = try self.values(of: node.inputs[1], in: parameters)
    let area = weight.shape[2] * weight.shape[3]
    var bias = [Double](repeating: 0, count: weight.shape[0])
    if convolution.hasBias { bias = try self.values(of: node.inputs[2], in: parameters).map(Double.init) }
    for position in values.indices {
      let (output, channel) = (position / (area * scale.count), position / area % scale.count)
      bias[output] += Double(values[position]) * shift[channel]
      values[position] = Float(Double(values[position]) * scale[channel])
    }
    var folded = convolution
    folded.hasBias = true
    node.operation = .convolution(folded)
    node.inputs =
      [
        node.inputs[0], addParameter(name + ".folded.weight", shape: weight.shape, values: values),
        addParameter(name + ".folded.bias", shape: [bias.count], values: bias.map(Float.init)),
      ] + node.inputs.dropFirst(convolution.hasBias ? 3 : 2)
    graph.nodes[index] = node
  }
}
