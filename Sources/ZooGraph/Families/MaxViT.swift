/// MaxViT: Tu et al., "Multi-Axis Vision Transformer", 2022 (arXiv:2204.01697), figure 2 and table 7.
///
/// Tensors are named as torchvision names them. Stochastic depth, which only training from scratch uses, is left out.
public enum MaxViT: NetworkFamily {
  public static let name = "maxvit"

  public struct Config: Codable, Sendable, Equatable {
    /// Channels of the stem.
    public var stem: Int
    /// Blocks in each stage.
    public var depths: [Int]
    /// Channels of each stage.
    public var widths: [Int]
    /// Channels of one of attention's heads; default 32.
    public var headWidth: Int?
    /// Side of windows and grids; default 7.
    public var partition: Int?

    public init(stem: Int, depths: [Int], widths: [Int], headWidth: Int? = nil, partition: Int? = nil) {
      self.stem = stem
      self.depths = depths
      self.widths = widths
      self.headWidth = headWidth
      self.partition = partition
    }
  }

  /// BatchNorm's, as published.
  private static let norm = Normalization(epsilon: 1e-3, momentum: 0.01)
  /// LayerNorm's.
  private static let epsilon: Float = 1e-5

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var channels = config.stem

    var b = GraphBuilder()
    b.beginStage("stem")
    var x = b.scope("stem") { b in
      let y = b.convolutionBlock("0", b.input, from: 3, to: channels, kernel: 3, stride: 2, norm, activation: .gelu)
      return b.convolution("1.0", y, from: channels, to: channels, kernel: 3, padding: .symmetric(1), bias: true)
    }
    for (stage, (depth, width)) in zip(config.depths, config.widths).enumerated() {
      b.beginStage("stage\(stage + 1)")
      for index in 0..<depth {
        x = b.scope("blocks.\(stage).layers.\(index).layers") { b in
          let y = invertedResidual(&b, x, from: channels, to: width, stride: index == 0 ? 2 : 1)
          return attentions(&b, y, config, width)
        }
        channels = width
      }
    }
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    x = b.layerNorm("classifier.2", x, channels: channels, epsilon: epsilon)
    x = b.activation(.tanh, b.linear("classifier.3", x, from: channels, to: channels), name: "tanh")
    b.beginStage("head")
    x = b.linear("classifier.5", x, from: channels, to: classes, bias: false)
    return b.finish(outputs: [x])
  }

  /// MBConv: pointwise expansion by 4, depthwise convolution, squeeze and excitation, pointwise projection, sum.
  private static func invertedResidual(
    _ b: inout GraphBuilder, _ x: ValueID, from inputs: Int, to outputs: Int, stride: Int
  ) -> ValueID {
    b.scope("MBconv") { b in
      var shortcut = x
      if stride == 2 {
        shortcut = b.averagePool(x, Pooling(kernel: [3, 3], stride: [2, 2], padding: .symmetric(1)))
      }
      if stride == 2 || inputs != outputs {
        shortcut = b.convolution(
          stride == 2 ? "proj.1" : "proj.0", shortcut, from: inputs, to: outputs, kernel: 1, bias: true)
      }
      let wide = 4 * outputs
      let y = b.scope("layers") { b in
        var y = b.batchNorm("pre_norm", x, channels: inputs, epsilon: norm.epsilon, momentum: norm.momentum)
        y = b.convolutionBlock("conv_a", y, from: inputs, to: wide, kernel: 1, norm, activation: .gelu)
        y = b.convolutionBlock(
          "conv_b", y, from: wide, to: wide, kernel: 3, stride: stride, groups: wide, norm, activation: .gelu)
        y = b.squeezeExcitation(
          "squeeze_excitation", y, channels: wide, squeezed: outputs / 4, activation: .silu)
        return b.convolution("conv_c", y, from: wide, to: outputs, kernel: 1, bias: true)
      }
      return b.sum(y, shortcut)
    }
  }

  /// Attention within windows of neighbours, then within grids spread over the picture.
  private static func attentions(_ b: inout GraphBuilder, _ x: ValueID, _ config: Config, _ width: Int) -> ValueID {
    let side = config.partition ?? 7
    let windows = b.scope("window_attention") { b in
      attention(&b, x, .windows(height: side, width: side, shift: [0, 0]), config, width)
    }
    return b.scope("grid_attention") { b in
      attention(&b, windows, .grid(height: side, width: side), config, width)
    }
  }

  private static func attention(
    _ b: inout GraphBuilder, _ x: ValueID, _ partition: Attention.Partition, _ config: Config, _ width: Int
  ) -> ValueID {
    let heads = width / (config.headWidth ?? 32)
    let window = partition.window ?? []
    var y = b.layerNorm("attn_layer.0", x, channels: width, epsilon: epsilon)
    y = b.scope("attn_layer.1") { b in
      b.positionIndex(window: window, isFlat: false)
      let table = b.positionBiasTable(window: window, heads: heads)
      let projected = b.linear("to_qkv", y, from: width, to: 3 * width)
      // Published so, with all channels' root and not a head's.
      let attention = Attention(
        heads: heads, partition: partition, scale: 1 / Float(width).squareRoot(), hasPositionBias: true)
      return b.linear("merge", b.attention(attention, [projected, table]), from: width, to: width)
    }
    let attended = b.sum(y, x)
    y = b.layerNorm("mlp_layer.0", attended, channels: width, epsilon: epsilon)
    y = b.activation(.gelu, b.linear("mlp_layer.1", y, from: width, to: 4 * width), name: "gelu")
    return b.sum(b.linear("mlp_layer.3", y, from: 4 * width, to: width), attended)
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.stem, in: ConfigCheck.channels, "stem")
    try check.requireStages(config.depths, each: config.widths, "widths")
    let head = config.headWidth ?? 32
    try check.require(head, in: 1...16_384, "headWidth")
    for width in config.widths {
      try check.require(width, in: 4...16_384, "widths")
      try check.require(width % head == 0, "widths", found: width, expected: "multiples of \(head)")
    }
    try check.require(config.partition ?? 7, in: 2...64, "partition")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
