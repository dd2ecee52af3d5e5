/// SqueezeNet: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016
/// (arXiv:1602.07360), table 1, and the authors' smaller version 1.1.
///
/// A fire module's expansion has four times its squeeze's channels for each of its two kernels. The classifier is a
/// convolution whose maps are averaged.
public enum SqueezeNet: NetworkFamily {
  public static let name = "squeezenet"

  public struct Stem: Codable, Sendable, Equatable {
    public var channels: Int
    public var kernel: Int

    public init(channels: Int, kernel: Int) {
      self.channels = channels
      self.kernel = kernel
    }
  }

  public struct Config: Codable, Sendable, Equatable {
    public var stem: Stem
    /// Squeezed channels of each fire module; a 3×3 max pooling stands before each block of them.
    public var squeezes: [[Int]]
    /// Before the classifier; default 0.5.
    public var dropout: Float?

    public init(stem: Stem, squeezes: [[Int]], dropout: Float? = nil) {
      self.stem = stem
      self.squeezes = squeezes
      self.dropout = dropout
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = config.stem.channels
    var module = 0
    var x = b.scope("features") { b in
      b.relu(
        b.convolution("\(module)", b.input, from: 3, to: channels, kernel: config.stem.kernel, stride: 2, bias: true))
    }
    module += 2
    for (index, block) in config.squeezes.enumerated() {
      x = b.maxPool(x, Pooling(kernel: [3, 3], stride: [2, 2], ceilMode: true))
      module += 1
      b.beginStage("block\(index + 1)")
      for squeezed in block {
        x = b.scope("features.\(module)") { b in fire(&b, x, from: channels, squeezed: squeezed) }
        channels = 8 * squeezed
        module += 1
      }
    }
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.5)
    x = b.relu(b.convolution("classifier.1", x, from: channels, to: classes, kernel: 1, bias: true))
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    return b.finish(outputs: [x])
  }

  /// Figure 1: fewer channels, then 1×1 and 3×3 convolutions side by side.
  private static func fire(_ b: inout GraphBuilder, _ x: ValueID, from channels: Int, squeezed: Int) -> ValueID {
    let y = b.relu(b.convolution("squeeze", x, from: channels, to: squeezed, kernel: 1, bias: true))
    let small = b.relu(b.convolution("expand1x1", y, from: squeezed, to: 4 * squeezed, kernel: 1, bias: true))
    let large = b.relu(
      b.convolution("expand3x3", y, from: squeezed, to: 4 * squeezed, kernel: 3, padding: .symmetric(1), bias: true))
    return b.concatenate([small, large])
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.stem.channels, in: ConfigCheck.channels, "stem channels")
    try check.require(config.stem.kernel, in: 1...31, "stem kernel")
    try check.require(config.squeezes.count, in: 1...16, "number of blocks")
    for block in config.squeezes {
      try check.require(block.count, in: ConfigCheck.blocks, "modules of a block")
      for width in block { try check.require(width, in: 1...8192, "squeezes") }
    }
    try check.requireProbability(config.dropout ?? 0.5, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
