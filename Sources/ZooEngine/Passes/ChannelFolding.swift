import ZooCheckpoint
import ZooGraph

/// A factor and a summand for each channel, taken into a convolution.
struct ChannelLine {
  let scale: [Double]
  let shift: [Double]
  /// The node that it comes from, for naming parameters.
  let name: String
}

extension Network {
  /// Multiplies a convolution's outputs by the scale and adds the shift.
  mutating func fold(
    _ line: ChannelLine, into convolution: Convolution, at index: Int, _ parameters: [ValueID: Parameter]
  ) throws {
    var node = graph.nodes[index]
    guard let weight = parameters[node.inputs[1]], weight.shape[0] == line.scale.count else {
      throw EngineError.missingWeight(name: node.name + ".weight")
    }
    var values = try self.values(of: node.inputs[1], in: parameters)
    let step = values.count / max(line.scale.count, 1)
    for (channel, scale) in line.scale.enumerated() {
      for position in channel * step..<(channel + 1) * step {
        values[position] = Float(Double(values[position]) * scale)
      }
    }
    var bias = line.shift
    if convolution.hasBias {
      let old = try self.values(of: node.inputs[2], in: parameters)
      for channel in bias.indices { bias[channel] += Double(old[channel]) * line.scale[channel] }
    }
    node.inputs = [node.inputs[0]]
    add(convolution, weight: values, shape: weight.shape, bias: bias, from: line, to: &node)
    graph.nodes[index] = node
  }

  /// Gives a convolution's node new weights and a bias, behind the inputs that it has.
  mutating func add(
    _ convolution: Convolution, weight: [Float], shape: [Int], bias: [Double], from line: ChannelLine,
    to node: inout Node
  ) {
    var folded = convolution
    folded.hasBias = true
    node.operation = .convolution(folded)
    node.inputs += [
      addParameter(line.name + ".folded.weight", shape: shape, values: weight),
      addParameter(line.name + ".folded.bias", shape: [bias.count], values: bias.map(Float.init)),
    ]
  }

  /// Makes the node at `index` a 1×1 depthwise convolution of `x`, for want of another to fold into.
  mutating func standAlone(_ line: ChannelLine, at index: Int, reading x: ValueID) {
    let count = line.scale.count
    graph.nodes[index].operation = .convolution(Convolution(groups: count, hasBias: true))
    graph.nodes[index].inputs = [
      x,
      addParameter(line.name + ".scale", shape: [count, 1, 1, 1], values: line.scale.map(Float.init)),
      addParameter(line.name + ".shift", shape: [count], values: line.shift.map(Float.init)),
    ]
  }
}
