/// EfficientNet-Lite: EfficientNet (Tan and Le, arXiv:1905.11946, table 1) without squeeze-and-excitation, with ReLU6
/// for SiLU, and with stem and head that don't grow with the width.
///
/// Follows TensorFlow's published networks: SAME padding and a BatchNorm epsilon of 1e-3. Tensors are named as timm
/// names those of `tf_efficientnet_lite0`.
public enum EfficientNetLite: NetworkFamily {
  public static let name = "efficientnet_lite"

  public struct Config: Codable, Sendable, Equatable {
    /// Scales the channels of the blocks, rounded to multiples of 8; default 1.
    public var widthMultiplier: Double?
    /// Scales the repeats of every stage but the first and the last; default 1.
    public var depthMultiplier: Double?
    /// Outputs of the stem; default 32.
    public var stem: Int?
    /// Outputs of the last convolution; default 1280.
    public var features: Int?
    /// Before the classifier; default 0.2.
    public var dropout: Float?

    public init(
      widthMultiplier: Double? = nil, depthMultiplier: Double? = nil, stem: Int? = nil, features: Int? = nil,
      dropout: Float? = nil
    ) {
      self.widthMultiplier = widthMultiplier
      self.depthMultiplier = depthMultiplier
      self.stem = stem
      self.features = features
      self.dropout = dropout
    }
  }

  private struct Stage {
    let repeats: Int
    let kernel: Int
    let stride: Int
    let expansion: Int
    let channels: Int
  }

  /// Table 1, stages 2 to 8.
  private static let stages = [
    Stage(repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16),
    Stage(repeats: 2, kernel: 3, stride: 2, expansion: 6, channels: 24),
    Stage(repeats: 2, kernel: 5, stride: 2, expansion: 6, channels: 40),
    Stage(repeats: 3, kernel: 3, stride: 2, expansion: 6, channels: 80),
    Stage(repeats: 3, kernel: 5, stride: 1, expansion: 6, channels: 112),
    Stage(repeats: 4, kernel: 5, stride: 2, expansion: 6, channels: 192),
    Stage(repeats: 1, kernel: 3, stride: 1, expansion: 6, channels: 320),
  ]

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    let stem = config.stem ?? 32
    let features = config.features ?? 1280

    var b = GraphBuilder()
    b.beginStage("stem")
    var x = b.convolution("conv_stem", b.input, from: 3, to: stem, kernel: 3, stride: 2, padding: .same)
    x = b.activation(.relu6, normalized(&b, "bn1", x, stem))
    var channels = stem
    for (index, stage) in stages.enumerated() {
      b.beginStage("blocks.\(index)")
      let outputs = roundedChannels(stage.channels, by: config.widthMultiplier ?? 1)
      let isFixed = index == 0 || index == stages.count - 1
      let repeats = isFixed ? stage.repeats : Int((Double(stage.repeats) * (config.depthMultiplier ?? 1)).rounded(.up))
      for block in 0..<repeats {
        x = b.scope("blocks.\(index).\(block)") { b in
          invertedResidual(&b, x, stage, from: channels, to: outputs, stride: block == 0 ? stage.stride : 1)
        }
        channels = outputs
      }
    }
    b.beginStage("conv_head")
    x = b.convolution("conv_head", x, from: channels, to: features, kernel: 1, padding: .same)
    x = b.activation(.relu6, normalized(&b, "bn2", x, features))
    x = b.adaptiveAveragePool(x, height: 1, width: 1)
    x = b.flatten(x)
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.2)
    x = b.linear("classifier", x, from: features, to: classes)
    return b.finish(outputs: [x])
  }

  /// Pointwise expansion (none where the factor is 1), depthwise convolution, pointwise projection, sum.
  private static func invertedResidual(
    _ b: inout GraphBuilder, _ x: ValueID, _ stage: Stage, from inputs: Int, to outputs: Int, stride: Int
  ) -> ValueID {
    let expanded = inputs * stage.expansion
    let isExpanding = stage.expansion != 1
    var y = x
    if isExpanding {
      y = b.convolution("conv_pw", y, from: inputs, to: expanded, kernel: 1, padding: .same)
      y = b.activation(.relu6, normalized(&b, "bn1", y, expanded))
    }
    y = b.convolution(
      "conv_dw", y, from: expanded, to: expanded, kernel: stage.kernel, stride: stride, padding: .same,
      groups: expanded)
    y = b.activation(.relu6, normalized(&b, isExpanding ? "bn2" : "bn1", y, expanded))
    y = b.convolution(
      isExpanding ? "conv_pwl" : "conv_pw", y, from: expanded, to: outputs, kernel: 1, padding: .same)
    y = normalized(&b, isExpanding ? "bn3" : "bn2", y, outputs)
    return stride == 1 && inputs == outputs ? b.sum(y, x) : y
  }

  private static func normalized(_ b: inout GraphBuilder, _ name: String, _ x: ValueID, _ channels: Int) -> ValueID {
    b.batchNorm(name, x, channels: channels, epsilon: 1e-3)
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    for (field, value) in [("widthMultiplier", config.widthMultiplier), ("depthMultiplier", config.depthMultiplier)] {
      let value = value ?? 1
      try check.require(value >= 0.1 && value <= 16, field, found: value, expected: "0.1 to 16")
    }
    try check.require(config.stem ?? 32, in: ConfigCheck.channels, "stem")
    try check.require(config.features ?? 1280, in: ConfigCheck.channels, "features")
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
