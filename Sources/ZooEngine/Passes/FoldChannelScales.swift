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
    let links = Links(self)
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
      case .channelShift(let exceptions):
        shift = try values(of: node.inputs[1], in: parameters).enumerated()
          .map { exceptions.contains($0.offset) ? 0 : Double($0.element) }
        scale = shift.map { _ in 1 }
      default: continue
      }
      let line = ChannelLine(scale: scale, shift: shift, name: node.name)
      var network = self
      if let before = links.soleConvolution(making: x) {
        try network.fold(line, into: before.convolution, at: before.index, parameters)
        network.graph.nodes[before.index].output = node.output
        network.graph.nodes.remove(at: index)
      } else if let after = links.soleReader(of: node.output),
        case .convolution(let convolution) = graph.nodes[after].operation,
        convolution.groups == 1, convolution.padding == .symmetric(0), graph.nodes[after].inputs[0] == node.output
      {
        try network.fold(line, intoInputsOf: convolution, at: after, parameters)
        network.graph.nodes[after].inputs[0] = x
        network.graph.nodes.remove(at: index)
      } else {
        network.standAlone(line, at: index, reading: x)
      }
      return network
    }
    return nil
  }

  /// Lets a convolution that pads nothing read x where it read scale · x + shift.
  private mutating func fold(
    _ line: ChannelLine, intoInputsOf convolution: Convolution, at index: Int, _ parameters: [ValueID: Parameter]
  ) throws {
    var node = graph.nodes[index]
    let channels = line.scale.count
    guard let weight = parameters[node.inputs[1]], weight.shape[1] == channels else {
      throw EngineError.missingWeight(name: node.name + ".weight")
    }
    var values = try self.values(of: node.inputs[1], in: parameters)
    let area = weight.shape[2] * weight.shape[3]
    var bias = [Double](repeating: 0, count: weight.shape[0])
    if convolution.hasBias { bias = try self.values(of: node.inputs[2], in: parameters).map(Double.init) }
    for position in values.indices {
      let (output, channel) = (position / (area * channels), position / area % channels)
      bias[output] += Double(values[position]) * line.shift[channel]
      values[position] = Float(Double(values[position]) * line.scale[channel])
    }
    let rest = node.inputs.dropFirst(convolution.hasBias ? 3 : 2)
    node.inputs = [node.inputs[0]]
    add(convolution, weight: values, shape: weight.shape, bias: bias, from: line, to: &node)
    node.inputs += rest
    graph.nodes[index] = node
  }
}
