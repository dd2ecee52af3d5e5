/// ConvNeXt: Liu et al., "A ConvNet for the 2020s", 2022 (arXiv:2201.03545), table 9 and figure 4.
///
/// Tensors are named as torchvision names them. Stochastic depth, which only training from scratch uses, is left out.
public enum ConvNeXt: NetworkFamily {
  public static let name = "convnext"

  public struct Config: Codable, Sendable, Equatable {
    /// Blocks in each stage.
    public var depths: [Int]
    /// Channels of each stage.
    public var widths: [Int]
    /// The last LayerNorm's; default that of the others, 1e-6.
    public var headEpsilon: Float?

    public init(depths: [Int], widths: [Int], headEpsilon: Float? = nil) {
      self.depths = depths
      self.widths = widths
      self.headEpsilon = headEpsilon
    }
  }

  /// LayerNorm's, section 2.6 and the published code.
  private static let epsilon: Float = 1e-6

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let check = ConfigCheck(family: name)
    try check.requireStages(config.depths, each: config.widths, "widths")
    for width in config.widths { try check.require(width, in: 1...16_384, "widths") }
    try check.requireEpsilon(config.headEpsilon ?? epsilon)
    try check.require(classes, in: ConfigCheck.classes, "classes")

    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = config.widths[0]
    var x = b.scope("features.0") { b in
      let patches = b.convolution("0", b.input, from: 3, to: channels, kernel: 4, stride: 4, bias: true)
      return b.layerNorm("1", patches, channels: channels, epsilon: epsilon)
    }
    for (stage, (depth, width)) in zip(config.depths, config.widths).enumerated() {
      b.beginStage("stage\(stage + 1)")
      if stage > 0 {
        x = b.scope("features.\(2 * stage)") { b in
          let normal = b.layerNorm("0", x, channels: channels, epsilon: epsilon)
          return b.convolution("1", normal, from: channels, to: width, kernel: 2, stride: 2, bias: true)
        }
        channels = width
      }
      for index in 0..<depth {
        x = b.scope("features.\(2 * stage + 1).\(index)") { b in block(&b, x, width) }
      }
    }
    x = b.adaptiveAveragePool(x, height: 1, width: 1)
    x = b.flatten(b.layerNorm("classifier.0", x, channels: channels, epsilon: config.headEpsilon ?? epsilon))
    b.beginStage("head")
    x = b.linear("classifier.2", x, from: channels, to: classes)
    return b.finish(outputs: [x])
  }

  /// Figure 4: a depthwise 7×7 convolution, then a narrow-wide-narrow pair of linear layers at each pixel.
  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ width: Int) -> ValueID {
    let scaled = b.scope("block") { b in
      var y = b.convolution(
        "0", x, from: width, to: width, kernel: 7, padding: .symmetric(3), groups: width, bias: true)
      y = b.layerNorm("2", y, channels: width, epsilon: epsilon)
      y = b.activation(.gelu, b.linear("3", y, from: width, to: 4 * width), name: "gelu")
      return b.linear("5", y, from: 4 * width, to: width)
    }
    return b.sum(b.channelScale("layer_scale", scaled, channels: width, initial: 1e-6), x)
  }
}
