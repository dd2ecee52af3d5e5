/// What a family's convolutions have in common: their BatchNorm's constants and their padding.
struct Normalization {
  var epsilon: Float = 1e-5
  var momentum: Float = 0.1
  /// TensorFlow's SAME, which pads less before than behind where both can't be alike.
  var hasSamePadding = false
}

/// Modules that several of torchvision's families are made of, with its names for their tensors.
extension GraphBuilder {
  /// `Conv2dNormActivation`: a convolution that keeps the size but for its stride (`0`), BatchNorm (`1`) and an
  /// activation.
  mutating func convolutionBlock(
    _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1,
    groups: Int = 1, _ norm: Normalization = Normalization(), activation: Activation? = nil
  ) -> ValueID {
    scope(name) { b in
      let y = b.normalizedConvolution(
        0, x, from: inputs, to: outputs, kernel: kernel, stride: stride, dilation: dilation, groups: groups, norm)
      return activation.map { b.activation($0, y) } ?? y
    }
  }

  /// A convolution that keeps the size but for its stride, module number `module` of a sequence, and its BatchNorm, the
  /// next.
  mutating func normalizedConvolution(
    _ module: Int, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1,
    groups: Int = 1, _ norm: Normalization = Normalization()
  ) -> ValueID {
    let y = convolution(
      "\(module)", x, from: inputs, to: outputs, kernel: kernel, stride: stride,
      padding: norm.hasSamePadding ? .same : .symmetric((kernel - 1) / 2 * dilation), dilation: dilation, groups: groups
    )
    return batchNorm("\(module + 1)", y, channels: outputs, epsilon: norm.epsilon, momentum: norm.momentum)
  }

  /// From (v - mean) / deviation of ImageNet to 2v - 1: the `transform_input` of torchvision's Inception and GoogLeNet.
  mutating func transformInput(_ x: ValueID) -> ValueID {
    channelAffine(
      x, scale: [0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5],
      shift: [(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5], name: "transform_input")
  }

  /// `SqueezeExcitation` (Hu et al., arXiv:1709.01507, figure 2): each channel is weighed by what two layers make of all
  /// channels' means.
  mutating func squeezeExcitation(
    _ name: String, _ x: ValueID, channels: Int, squeezed: Int, activation: Activation, gate: Activation = .sigmoid
  ) -> ValueID {
    scope(name) { b in
      var gates = b.adaptiveAveragePool(x, height: 1, width: 1)
      gates = b.activation(activation, b.convolution("fc1", gates, from: channels, to: squeezed, kernel: 1, bias: true))
      gates = b.activation(gate, b.convolution("fc2", gates, from: squeezed, to: channels, kernel: 1, bias: true))
      return b.gate(x, by: gates)
    }
  }
}

/// The nearest multiple of 8, but never below nine tenths of the wanted width: MobileNet's and EfficientNet's rounding.
func roundedChannels(_ channels: Int, by multiplier: Double = 1) -> Int {
  let wanted = Double(channels) * multiplier
  let rounded = max(8, Int(wanted + 4) / 8 * 8)
  return Double(rounded) < 0.9 * wanted ? rounded + 8 : rounded
}
