/// MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018 (arXiv:1801.04381),
/// table 2. Tensors are named as torchvision names them.
public enum MobileNetV2: NetworkFamily {
  public static let name = "mobilenet_v2"

  public struct Stage: Codable, Sendable, Equatable {
    /// A block's widest layer by its inputs.
    public var expansion: Int
    public var channels: Int
    public var repeats: Int
    /// Of the first block.
    public var stride: Int

    public init(expansion: Int, channels: Int, repeats: Int, stride: Int) {
      self.expansion = expansion
      self.channels = channels
      self.repeats = repeats
      self.stride = stride
    }
  }

  public struct Config: Codable, Sendable, Equatable {
    /// Scales all channels, rounded to multiples of 8; default 1.
    public var widthMultiplier: Double?
    /// Default: table 2's.
    public var stages: [Stage]?
    /// Outputs of the last convolution; default 1280, more where the network is wider.
    public var features: Int?
    /// Before the classifier; default 0.2.
    public var dropout: Float?
    /// BatchNorm's; default 1e-5.
    public var epsilon: Float?
    /// Whether convolutions pad as TensorFlow's SAME does; default false.
    public var samePadding: Bool?

    public init(
      widthMultiplier: Double? = nil, stages: [Stage]? = nil, features: Int? = nil, dropout: Float? = nil,
      epsilon: Float? = nil, samePadding: Bool? = nil
    ) {
      self.widthMultiplier = widthMultiplier
      self.stages = stages
      self.features = features
      self.dropout = dropout
      self.epsilon = epsilon
      self.samePadding = samePadding
    }

    fileprivate var norm: Normalization {
      Normalization(epsilon: epsilon ?? 1e-5, hasSamePadding: samePadding ?? false)
    }
  }

  /// Table 2: t, c, n, s.
  private static let stages = [
    Stage(expansion: 1, channels: 16, repeats: 1, stride: 1),
    Stage(expansion: 6, channels: 24, repeats: 2, stride: 2),
    Stage(expansion: 6, channels: 32, repeats: 3, stride: 2),
    Stage(expansion: 6, channels: 64, repeats: 4, stride: 2),
    Stage(expansion: 6, channels: 96, repeats: 3, stride: 1),
    Stage(expansion: 6, channels: 160, repeats: 3, stride: 2),
    Stage(expansion: 6, channels: 320, repeats: 1, stride: 1),
  ]

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    let multiplier = config.widthMultiplier ?? 1
    let features = config.features ?? roundedChannels(1280, by: max(1, multiplier))

    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = roundedChannels(32, by: multiplier)
    var x = b.convolutionBlock(
      "features.0", b.input, from: 3, to: channels, kernel: 3, stride: 2, config.norm,
      activation: .relu6)
    var module = 1
    for (index, stage) in (config.stages ?? stages).enumerated() {
      b.beginStage("stage\(index + 1)")
      let outputs = roundedChannels(stage.channels, by: multiplier)
      for block in 0..<stage.repeats {
        x = b.scope("features.\(module).conv") { b in
          invertedResidual(
            &b, x, from: channels, to: outputs, expansion: stage.expansion, stride: block == 0 ? stage.stride : 1,
            config.norm)
        }
        channels = outputs
        module += 1
      }
    }
    b.beginStage("features")
    x = b.convolutionBlock(
      "features.\(module)", x, from: channels, to: features, kernel: 1, config.norm,
      activation: .relu6)
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.2)
    x = b.linear("classifier.1", x, from: features, to: classes)
    return b.finish(outputs: [x])
  }

  /// Table 1: pointwise expansion (none where the factor is 1), depthwise convolution, linear projection, sum.
  private static func invertedResidual(
    _ b: inout GraphBuilder, _ x: ValueID, from inputs: Int, to outputs: Int, expansion: Int, stride: Int,
    _ norm: Normalization
  ) -> ValueID {
    let expanded = inputs * expansion
    var y = x
    var module = 0
    if expansion != 1 {
      y = b.convolutionBlock("0", y, from: inputs, to: expanded, kernel: 1, norm, activation: .relu6)
      module = 1
    }
    y = b.convolutionBlock(
      "\(module)", y, from: expanded, to: expanded, kernel: 3, stride: stride, groups: expanded, norm,
      activation: .relu6)
    y = b.normalizedConvolution(module + 1, y, from: expanded, to: outputs, kernel: 1, norm)
    return stride == 1 && inputs == outputs ? b.sum(x, y) : y
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    let multiplier = config.widthMultiplier ?? 1
    try check.require(
      multiplier >= 0.01 && multiplier <= 16, "widthMultiplier", found: multiplier, expected: "0.01 to 16")
    try check.require((config.stages ?? stages).count, in: 1...16, "number of stages")
    for stage in config.stages ?? stages {
      try check.require(stage.expansion, in: 1...64, "expansion")
      try check.require(stage.channels, in: 1...16_384, "channels")
      try check.require(stage.repeats, in: ConfigCheck.blocks, "repeats")
      try check.require(stage.stride, in: 1...2, "stride")
    }
    try check.require(config.features ?? 1280, in: ConfigCheck.channels, "features")
    try check.requireEpsilon(config.norm.epsilon)
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
