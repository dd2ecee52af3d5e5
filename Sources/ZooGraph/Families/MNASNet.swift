/// MNASNet: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2018 (arXiv:1807.11626), the
/// network without squeeze and excitation that the authors' code calls B1. Tensors are named as torchvision names them.
public enum MNASNet: NetworkFamily {
  public static let name = "mnasnet"

  public struct Config: Codable, Sendable, Equatable {
    /// Scales all channels, rounded to multiples of 8.
    public var widthMultiplier: Double
    /// Blocks in each stack; default 3, 3, 3, 2, 4, 1.
    public var repeats: [Int]?
    /// Outputs of the last convolution; default 1280.
    public var features: Int?
    /// Before the classifier; default 0.2.
    public var dropout: Float?

    public init(widthMultiplier: Double, repeats: [Int]? = nil, features: Int? = nil, dropout: Float? = nil) {
      self.widthMultiplier = widthMultiplier
      self.repeats = repeats
      self.features = features
      self.dropout = dropout
    }
  }

  private struct Stack {
    let channels: Int
    let kernel: Int
    let stride: Int
    let expansion: Int
    let repeats: Int
  }

  /// Figure 7 without the depthwise separable convolution that the stem ends in.
  private static let stacks = [
    Stack(channels: 24, kernel: 3, stride: 2, expansion: 3, repeats: 3),
    Stack(channels: 40, kernel: 5, stride: 2, expansion: 3, repeats: 3),
    Stack(channels: 80, kernel: 5, stride: 2, expansion: 6, repeats: 3),
    Stack(channels: 96, kernel: 3, stride: 1, expansion: 6, repeats: 2),
    Stack(channels: 192, kernel: 5, stride: 2, expansion: 6, repeats: 4),
    Stack(channels: 320, kernel: 3, stride: 1, expansion: 6, repeats: 1),
  ]

  /// TensorFlow's 0.9997 in PyTorch's terms.
  private static let norm = Normalization(momentum: 1 - 0.9997)

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    let repeats = config.repeats ?? stacks.map(\.repeats)
    let features = config.features ?? 1280
    func width(_ channels: Int) -> Int { roundedChannels(channels, by: config.widthMultiplier) }

    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = width(32)
    var x = b.scope("layers") { b in
      var y = b.relu(b.normalizedConvolution(0, b.input, from: 3, to: channels, kernel: 3, stride: 2, norm))
      y = b.relu(b.normalizedConvolution(3, y, from: channels, to: channels, kernel: 3, groups: channels, norm))
      return b.normalizedConvolution(6, y, from: channels, to: width(16), kernel: 1, norm)
    }
    channels = width(16)
    for (index, (stack, count)) in zip(stacks, repeats).enumerated() {
      b.beginStage("stack\(index + 1)")
      for block in 0..<count {
        x = b.scope("layers.\(8 + index).\(block).layers") { b in
          invertedResidual(
            &b, x, stack, from: channels, to: width(stack.channels), stride: block == 0 ? stack.stride : 1)
        }
        channels = width(stack.channels)
      }
    }
    b.beginStage("features")
    x = b.scope("layers") { b in b.relu(b.normalizedConvolution(14, x, from: channels, to: features, kernel: 1, norm)) }
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.2)
    x = b.linear("classifier.1", x, from: features, to: classes)
    return b.finish(outputs: [x])
  }

  private static func invertedResidual(
    _ b: inout GraphBuilder, _ x: ValueID, _ stack: Stack, from inputs: Int, to outputs: Int, stride: Int
  ) -> ValueID {
    let expanded = inputs * stack.expansion
    var y = b.relu(b.normalizedConvolution(0, x, from: inputs, to: expanded, kernel: 1, norm))
    y = b.relu(
      b.normalizedConvolution(
        3, y, from: expanded, to: expanded, kernel: stack.kernel, stride: stride, groups: expanded, norm))
    y = b.normalizedConvolution(6, y, from: expanded, to: outputs, kernel: 1, norm)
    return stride == 1 && inputs == outputs ? b.sum(y, x) : y
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    let multiplier = config.widthMultiplier
    try check.require(
      multiplier >= 0.01 && multiplier <= 16, "widthMultiplier", found: multiplier, expected: "0.01 to 16")
    if let repeats = config.repeats {
      try check.require(repeats.count == stacks.count, "repeats", found: repeats, expected: "\(stacks.count) numbers")
      for count in repeats { try check.require(count, in: ConfigCheck.blocks, "repeats") }
    }
    try check.require(config.features ?? 1280, in: ConfigCheck.channels, "features")
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
