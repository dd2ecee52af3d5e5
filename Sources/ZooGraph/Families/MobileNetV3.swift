/// MobileNetV3: Howard et al., "Searching for MobileNetV3", 2019 (arXiv:1905.02244), tables 1 and 2. Tensors are named as
/// torchvision names them.
public enum MobileNetV3: NetworkFamily {
  public static let name = "mobilenet_v3"

  /// A row of the tables.
  public struct Block: Codable, Sendable, Equatable {
    public var kernel: Int
    /// Channels of the depthwise convolution.
    public var expanded: Int
    public var channels: Int
    /// Whether channels are weighed by squeeze and excitation; default false.
    public var squeezes: Bool?
    /// Hard swish where true, else ReLU; default false.
    public var hardSwish: Bool?
    /// Default 1.
    public var stride: Int?

    public init(
      kernel: Int, expanded: Int, channels: Int, squeezes: Bool? = nil, hardSwish: Bool? = nil, stride: Int? = nil
    ) {
      self.kernel = kernel
      self.expanded = expanded
      self.channels = channels
      self.squeezes = squeezes
      self.hardSwish = hardSwish
      self.stride = stride
    }
  }

  public struct Config: Codable, Sendable, Equatable {
    public var blocks: [Block]
    /// Outputs of the layer before the classifier.
    public var hidden: Int
    /// Outputs of the stem; default 16.
    public var stem: Int?
    /// Before the classifier; default 0.2.
    public var dropout: Float?
    /// BatchNorm's; default 1e-3.
    public var epsilon: Float?
    /// Whether convolutions pad as TensorFlow's SAME does; default false.
    public var samePadding: Bool?

    public init(
      blocks: [Block], hidden: Int, stem: Int? = nil, dropout: Float? = nil, epsilon: Float? = nil,
      samePadding: Bool? = nil
    ) {
      self.blocks = blocks
      self.hidden = hidden
      self.stem = stem
      self.dropout = dropout
      self.epsilon = epsilon
      self.samePadding = samePadding
    }

    /// Section 6.1.1 in PyTorch's terms.
    fileprivate var norm: Normalization {
      Normalization(epsilon: epsilon ?? 1e-3, momentum: 0.01, hasSamePadding: samePadding ?? false)
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var b = GraphBuilder()
    let made = b.scope("features") { b in features(&b, config) }
    let last = made[made.count - 1]
    var x = b.flatten(b.adaptiveAveragePool(last.value, height: 1, width: 1))
    b.beginStage("hidden")
    x = b.activation(.hardSwish, b.linear("classifier.0", x, from: last.channels, to: config.hidden))
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.2)
    x = b.linear("classifier.3", x, from: config.hidden, to: classes)
    return b.finish(outputs: [x])
  }

  /// The stem, the blocks and the convolution after them; gives what each makes.
  ///
  /// - Parameter dilatesLastStage: whether the last blocks keep their size: their convolutions reach as far as if it
  ///   shrank.
  static func features(
    _ b: inout GraphBuilder, _ config: Config, dilatesLastStage: Bool = false
  ) -> [SegmentationBackbone.Feature] {
    b.beginStage("stem")
    var channels = config.stem ?? 16
    var x = b.convolutionBlock(
      "0", b.input, from: 3, to: channels, kernel: 3, stride: 2, config.norm, activation: .hardSwish)
    var made = [SegmentationBackbone.Feature(value: x, channels: channels)]
    let lastStage = config.blocks.lastIndex { $0.stride == 2 } ?? config.blocks.count
    var stages = 0
    for (index, block) in config.blocks.enumerated() {
      if index == 0 || block.stride == 2 {
        stages += 1
        b.beginStage("stage\(stages)")
      }
      let isDilated = dilatesLastStage && index >= lastStage
      x = b.scope("\(index + 1).block") { b in
        bottleneck(&b, x, block, from: channels, isDilated: isDilated, config.norm)
      }
      channels = block.channels
      made.append(.init(value: x, channels: channels))
    }
    b.beginStage("features")
    x = b.convolutionBlock(
      "\(config.blocks.count + 1)", x, from: channels, to: 6 * channels, kernel: 1, config.norm,
      activation: .hardSwish)
    return made + [.init(value: x, channels: 6 * channels)]
  }

  /// Figure 4: expansion where there is any, depthwise convolution, squeeze and excitation, linear projection, sum.
  private static func bottleneck(
    _ b: inout GraphBuilder, _ x: ValueID, _ block: Block, from inputs: Int, isDilated: Bool,
    _ norm: Normalization
  ) -> ValueID {
    let activation: Activation = block.hardSwish == true ? .hardSwish : .relu
    let stride = isDilated ? 1 : block.stride ?? 1
    var y = x
    var module = 0
    if block.expanded != inputs {
      y = b.convolutionBlock("0", y, from: inputs, to: block.expanded, kernel: 1, norm, activation: activation)
      module += 1
    }
    y = b.convolutionBlock(
      "\(module)", y, from: block.expanded, to: block.expanded, kernel: block.kernel, stride: stride,
      dilation: isDilated ? 2 : 1, groups: block.expanded, norm, activation: activation)
    module += 1
    if block.squeezes == true {
      y = b.squeezeExcitation(
        "\(module)", y, channels: block.expanded, squeezed: roundedChannels(block.expanded / 4), activation: .relu,
        gate: .hardSigmoid)
      module += 1
    }
    y = b.convolutionBlock("\(module)", y, from: block.expanded, to: block.channels, kernel: 1, norm)
    return (block.stride ?? 1) == 1 && inputs == block.channels ? b.sum(y, x) : y
  }

  static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.blocks.count, in: ConfigCheck.blocks, "number of blocks")
    for block in config.blocks {
      try check.require(block.kernel % 2 == 1, "kernel", found: block.kernel, expected: "an odd number")
      try check.require(block.kernel, in: 1...31, "kernel")
      try check.require(block.expanded, in: ConfigCheck.channels, "expanded")
      try check.require(block.channels, in: 1...8192, "channels")
      try check.require(block.stride ?? 1, in: 1...2, "stride")
    }
    try check.require(config.hidden, in: ConfigCheck.channels, "hidden")
    try check.require(config.stem ?? 16, in: ConfigCheck.channels, "stem")
    try check.requireEpsilon(config.norm.epsilon)
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
