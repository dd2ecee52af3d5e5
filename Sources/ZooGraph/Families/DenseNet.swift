/// DenseNet: Huang et al., "Densely Connected Convolutional Networks", 2016 (arXiv:1608.06993), table 1 (DenseNet-BC).
/// Tensors are named as torchvision names them.
public enum DenseNet: NetworkFamily {
  public static let name = "densenet"

  public struct Config: Codable, Sendable, Equatable {
    /// Layers in each dense block.
    public var blocks: [Int]
    /// Channels that each layer adds; default 32.
    public var growth: Int?
    /// Outputs of the stem; default 64.
    public var stem: Int?

    public init(blocks: [Int], growth: Int? = nil, stem: Int? = nil) {
      self.blocks = blocks
      self.growth = growth
      self.stem = stem
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let growth = config.growth ?? 32
    let check = ConfigCheck(family: name)
    try check.require(config.blocks.count, in: 1...8, "number of blocks")
    for layers in config.blocks { try check.require(layers, in: 1...256, "blocks") }
    try check.require(growth, in: 1...1024, "growth")
    try check.require(config.stem ?? 64, in: 1...65_536, "stem")
    try check.require(classes, in: ConfigCheck.classes, "classes")

    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = config.stem ?? 64
    var x = b.scope("features") { b in
      let y = b.convolution(
        "conv0", b.input, from: 3, to: channels, kernel: 7, stride: 2, padding: .symmetric(3))
      return b.relu(b.batchNorm("norm0", y, channels: channels))
    }
    x = b.maxPool(x, Pooling(kernel: [3, 3], stride: [2, 2], padding: .symmetric(1)))
    for (index, layers) in config.blocks.enumerated() {
      b.beginStage("block\(index + 1)")
      for layer in 1...layers {
        x = b.scope("features.denseblock\(index + 1).denselayer\(layer)") { b in
          b.concatenate([x, addition(&b, x, from: channels, growth: growth)])
        }
        channels += growth
      }
      guard index < config.blocks.count - 1 else { break }
      x = b.scope("features.transition\(index + 1)") { b in transition(&b, x, from: channels) }
      channels /= 2
    }
    x = b.relu(b.batchNorm("features.norm5", x, channels: channels))
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.linear("classifier", x, from: channels, to: classes)
    return b.finish(outputs: [x])
  }

  /// Section 3's bottleneck layer: what all earlier layers made, normalised, through a 1×1 and a 3×3 convolution.
  private static func addition(_ b: inout GraphBuilder, _ x: ValueID, from channels: Int, growth: Int) -> ValueID {
    var y = b.relu(b.batchNorm("norm1", x, channels: channels))
    y = b.convolution("conv1", y, from: channels, to: 4 * growth, kernel: 1)
    y = b.relu(b.batchNorm("norm2", y, channels: 4 * growth))
    return b.convolution("conv2", y, from: 4 * growth, to: growth, kernel: 3, padding: .symmetric(1))
  }

  /// Halves the channels and the picture.
  private static func transition(_ b: inout GraphBuilder, _ x: ValueID, from channels: Int) -> ValueID {
    let y = b.relu(b.batchNorm("norm", x, channels: channels))
    return b.averagePool(
      b.convolution("conv", y, from: channels, to: channels / 2, kernel: 1), Pooling(kernel: [2, 2], stride: [2, 2]))
  }
}
