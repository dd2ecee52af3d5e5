/// EfficientNet: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019
/// (arXiv:1905.11946), table 1, and "EfficientNetV2: Smaller Models and Faster Training", 2021 (arXiv:2104.00298),
/// table 4. Tensors are named as torchvision names them. Stochastic depth, which only training from scratch uses, is left
/// out.
public enum EfficientNet: NetworkFamily {
  public static let name = "efficientnet"

  public struct Stage: Codable, Sendable, Equatable {
    /// Whether one wide convolution stands for the pointwise and the depthwise one, without squeeze and excitation;
    /// default false.
    public var isFused: Bool?
    public var expansion: Int
    public var kernel: Int
    /// Of the first block.
    public var stride: Int
    public var channels: Int
    public var repeats: Int

    public init(isFused: Bool? = nil, expansion: Int, kernel: Int, stride: Int, channels: Int, repeats: Int) {
      self.isFused = isFused
      self.expansion = expansion
      self.kernel = kernel
      self.stride = stride
      self.channels = channels
      self.repeats = repeats
    }
  }

  public struct Config: Codable, Sendable, Equatable {
    /// Scales all channels, rounded to multiples of 8; default 1.
    public var widthMultiplier: Double?
    /// Scales the repeats of every stage; default 1.
    public var depthMultiplier: Double?
    /// Default: those of EfficientNet's table 1.
    public var stages: [Stage]?
    /// Outputs of the stem, before scaling; default 32.
    public var stem: Int?
    /// Outputs of the last convolution; default four times its inputs.
    public var features: Int?
    /// BatchNorm's; default 1e-5.
    public var epsilon: Float?
    /// BatchNorm's, as PyTorch counts it; default 0.1.
    public var momentum: Float?
    /// Before the classifier; default 0.2.
    public var dropout: Float?
    /// Whether convolutions pad as TensorFlow's SAME does; default false.
    public var samePadding: Bool?

    public init(
      widthMultiplier: Double? = nil, depthMultiplier: Double? = nil, stages: [Stage]? = nil, stem: Int? = nil,
      features: Int? = nil, epsilon: Float? = nil, momentum: Float? = nil, dropout: Float? = nil,
      samePadding: Bool? = nil
    ) {
      self.widthMultiplier = widthMultiplier
      self.depthMultiplier = depthMultiplier
      self.stages = stages
      self.stem = stem
      self.features = features
      self.epsilon = epsilon
      self.momentum = momentum
      self.dropout = dropout
      self.samePadding = samePadding
    }

    fileprivate var norm: Normalization {
      Normalization(epsilon: epsilon ?? 1e-5, momentum: momentum ?? 0.1, hasSamePadding: samePadding ?? false)
    }
  }

  /// Table 1, stages 2 to 8.
  private static let stages = [
    Stage(expansion: 1, kernel: 3, stride: 1, channels: 16, repeats: 1),
    Stage(expansion: 6, kernel: 3, stride: 2, channels: 24, repeats: 2),
    Stage(expansion: 6, kernel: 5, stride: 2, channels: 40, repeats: 2),
    Stage(expansion: 6, kernel: 3, stride: 2, channels: 80, repeats: 3),
    Stage(expansion: 6, kernel: 5, stride: 1, channels: 112, repeats: 3),
    Stage(expansion: 6, kernel: 5, stride: 2, channels: 192, repeats: 4),
    Stage(expansion: 6, kernel: 3, stride: 1, channels: 320, repeats: 1),
  ]

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    let multiplier = config.widthMultiplier ?? 1
    let stages = config.stages ?? stages

    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = roundedChannels(config.stem ?? 32, by: multiplier)
    var x = b.convolutionBlock(
      "features.0", b.input, from: 3, to: channels, kernel: 3, stride: 2, config.norm, activation: .silu)
    for (index, stage) in stages.enumerated() {
      b.beginStage("stage\(index + 1)")
      let outputs = roundedChannels(stage.channels, by: multiplier)
      let repeats = Int((Double(stage.repeats) * (config.depthMultiplier ?? 1)).rounded(.up))
      for block in 0..<repeats {
        x = b.scope("features.\(index + 1).\(block).block") { b in
          let stride = block == 0 ? stage.stride : 1
          return stage.isFused == true
            ? fused(&b, x, stage, from: channels, to: outputs, stride: stride, config.norm)
            : inverted(&b, x, stage, from: channels, to: outputs, stride: stride, config.norm)
        }
        channels = outputs
      }
    }
    let features = config.features ?? 4 * channels
    b.beginStage("features")
    x = b.convolutionBlock(
      "features.\(stages.count + 1)", x, from: channels, to: features, kernel: 1, config.norm, activation: .silu)
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.2)
    x = b.linear("classifier.1", x, from: features, to: classes)
    return b.finish(outputs: [x])
  }

  /// MBConv: pointwise expansion where there is any, depthwise convolution, squeeze and excitation, projection, sum.
  private static func inverted(
    _ b: inout GraphBuilder, _ x: ValueID, _ stage: Stage, from inputs: Int, to outputs: Int, stride: Int,
    _ norm: Normalization
  ) -> ValueID {
    let expanded = roundedChannels(inputs, by: Double(stage.expansion))
    var y = x
    var module = 0
    if expanded != inputs {
      y = b.convolutionBlock("0", y, from: inputs, to: expanded, kernel: 1, norm, activation: .silu)
      module = 1
    }
    y = b.convolutionBlock(
      "\(module)", y, from: expanded, to: expanded, kernel: stage.kernel, stride: stride, groups: expanded, norm,
      activation: .silu)
    y = b.squeezeExcitation(
      "\(module + 1)", y, channels: expanded, squeezed: max(1, inputs / 4), activation: .silu)
    y = b.convolutionBlock("\(module + 2)", y, from: expanded, to: outputs, kernel: 1, norm)
    return stride == 1 && inputs == outputs ? b.sum(y, x) : y
  }

  /// Fused-MBConv: one convolution, and a projection where it expands; sum.
  private static func fused(
    _ b: inout GraphBuilder, _ x: ValueID, _ stage: Stage, from inputs: Int, to outputs: Int, stride: Int,
    _ norm: Normalization
  ) -> ValueID {
    let expanded = roundedChannels(inputs, by: Double(stage.expansion))
    let isExpanding = expanded != inputs
    var y = b.convolutionBlock(
      "0", x, from: inputs, to: isExpanding ? expanded : outputs, kernel: stage.kernel, stride: stride, norm,
      activation: .silu)
    if isExpanding { y = b.convolutionBlock("1", y, from: expanded, to: outputs, kernel: 1, norm) }
    return stride == 1 && inputs == outputs ? b.sum(y, x) : y
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    for (field, value) in [("widthMultiplier", config.widthMultiplier), ("depthMultiplier", config.depthMultiplier)] {
      let value = value ?? 1
      try check.require(value >= 0.1 && value <= 16, field, found: value, expected: "0.1 to 16")
    }
    let stages = config.stages ?? stages
    try check.require(stages.count, in: 1...16, "number of stages")
    for stage in stages {
      try check.require(stage.expansion, in: 1...64, "expansion")
      try check.require(stage.kernel % 2 == 1, "kernel", found: stage.kernel, expected: "an odd number")
      try check.require(stage.kernel, in: 1...31, "kernel")
      try check.require(stage.stride, in: 1...2, "stride")
      try check.require(stage.channels, in: 1...16_384, "channels")
      try check.require(stage.repeats, in: ConfigCheck.blocks, "repeats")
    }
    try check.require(config.stem ?? 32, in: 1...16_384, "stem")
    try check.require(config.features ?? 1280, in: ConfigCheck.channels, "features")
    try check.requireEpsilon(config.norm.epsilon)
    try check.requireProbability(config.momentum ?? 0.1, "momentum")
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
