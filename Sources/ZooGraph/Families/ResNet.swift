/// Residual networks: He et al., "Deep Residual Learning for Image Recognition", 2015 (arXiv:1512.03385), table 1.
///
/// With `groups` it is ResNeXt (Xie et al., arXiv:1611.05431), with a larger `widthPerGroup` Wide ResNet (Zagoruyko and
/// Komodakis, arXiv:1605.07146). As in torchvision, and other than in the paper, a bottleneck's stride is that of its
/// 3×3 convolution ("v1.5"), unless `strideFirst` says otherwise, as Keras's networks do.
public enum ResNet: NetworkFamily {
  public static let name = "resnet"

  public enum Block: String, Codable, Sendable {
    case basic, bottleneck

    /// Outputs of a block by its planes.
    public var expansion: Int { self == .basic ? 1 : 4 }
  }

  public struct Stem: Codable, Sendable, Equatable {
    public var kernel: Int
    public var stride: Int
    public var maxPool: Bool

    /// The paper's stem; small pictures want kernel 3, stride 1 and no pooling.
    public init(kernel: Int = 7, stride: Int = 2, maxPool: Bool = true) {
      self.kernel = kernel
      self.stride = stride
      self.maxPool = maxPool
    }
  }

  public struct Config: Codable, Sendable, Equatable {
    public var block: Block
    /// Blocks in each stage.
    public var layers: [Int]
    /// Planes of the stem and the first stage, doubled by each later one; default 64.
    public var width: Int?
    /// Groups of a bottleneck's 3×3 convolution; default 1.
    public var groups: Int?
    /// Channels of each group where planes are 64; default 64.
    public var widthPerGroup: Int?
    public var stem: Stem?
    /// Whether a bottleneck's stride is that of its first 1×1 convolution, as in the paper; default false.
    public var strideFirst: Bool?
    /// Whether convolutions have biases; default false.
    public var convolutionBias: Bool?
    /// BatchNorm's; default 1e-5.
    public var epsilon: Float?

    public init(
      block: Block, layers: [Int], width: Int? = nil, groups: Int? = nil, widthPerGroup: Int? = nil, stem: Stem? = nil,
      strideFirst: Bool? = nil, convolutionBias: Bool? = nil, epsilon: Float? = nil
    ) {
      self.block = block
      self.layers = layers
      self.width = width
      self.groups = groups
      self.widthPerGroup = widthPerGroup
      self.stem = stem
      self.strideFirst = strideFirst
      self.convolutionBias = convolutionBias
      self.epsilon = epsilon
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var b = GraphBuilder()
    let last = stages(&b, config).last ?? .init(value: b.input, channels: 3)
    let x = b.flatten(b.adaptiveAveragePool(last.value, height: 1, width: 1))
    b.beginStage("head")
    return b.finish(outputs: [b.linear("fc", x, from: last.channels, to: classes)])
  }

  /// The stem and the stages; gives what each stage makes.
  ///
  /// - Parameter dilatedStages: of the last stages, how many keep their size: their convolutions reach as far as if it
  ///   shrank (torchvision's `replace_stride_with_dilation`).
  static func stages(
    _ b: inout GraphBuilder, _ config: Config, dilatedStages: Int = 0
  ) -> [SegmentationBackbone.Feature] {
    let stem = config.stem ?? Stem()
    let width = config.width ?? 64
    b.beginStage("stem")
    var x = convolution(
      &b, "conv1", "bn1", b.input, config, from: 3, to: width, kernel: stem.kernel, stride: stem.stride)
    x = b.relu(x)
    if stem.maxPool { x = b.maxPool(x, Pooling(kernel: [3, 3], stride: [2, 2], padding: .symmetric(1))) }

    var (channels, dilation) = (width, 1)
    var made: [SegmentationBackbone.Feature] = []
    for (stage, count) in config.layers.enumerated() {
      b.beginStage("layer\(stage + 1)")
      let planes = width << stage
      let isDilated = stage >= config.layers.count - dilatedStages
      for index in 0..<count {
        let isFirst = index == 0
        let step = Step(stride: stage > 0 && isFirst && !isDilated ? 2 : 1, dilation: dilation)
        // The first block still has its input's reach.
        if isFirst && isDilated && stage > 0 { dilation *= 2 }
        x = b.scope("layer\(stage + 1)") { b in
          b.scope("\(index)") { b in block(&b, x, config, from: channels, planes: planes, step) }
        }
        channels = planes * config.block.expansion
      }
      made.append(.init(value: x, channels: channels))
    }
    return made
  }

  /// How a block's 3×3 convolution moves.
  private struct Step {
    var stride = 1
    var dilation = 1
  }

  private static func block(
    _ b: inout GraphBuilder, _ x: ValueID, _ config: Config, from inputs: Int, planes: Int, _ step: Step
  ) -> ValueID {
    let stride = step.stride
    let outputs = planes * config.block.expansion
    var y = x
    switch config.block {
    case .basic:
      y = b.relu(convolution(&b, "conv1", "bn1", y, config, from: inputs, to: planes, kernel: 3, stride: stride))
      y = convolution(&b, "conv2", "bn2", y, config, from: planes, to: planes, kernel: 3)
    case .bottleneck:
      let groups = config.groups ?? 1
      let width = planes * (config.widthPerGroup ?? 64) / 64 * groups
      let (first, second) = config.strideFirst == true ? (stride, 1) : (1, stride)
      y = b.relu(convolution(&b, "conv1", "bn1", y, config, from: inputs, to: width, kernel: 1, stride: first))
      y = convolution(
        &b, "conv2", "bn2", y, config, from: width, to: width, kernel: 3, stride: second, dilation: step.dilation,
        groups: groups)
      y = convolution(&b, "conv3", "bn3", b.relu(y), config, from: width, to: outputs, kernel: 1)
    }
    var shortcut = x
    if stride != 1 || inputs != outputs {
      shortcut = b.scope("downsample") { b in
        convolution(&b, "0", "1", x, config, from: inputs, to: outputs, kernel: 1, stride: stride)
      }
    }
    return b.relu(b.sum(y, shortcut))
  }

  /// A convolution that keeps the size but for its stride, and its BatchNorm.
  private static func convolution(
    _ b: inout GraphBuilder, _ name: String, _ norm: String, _ x: ValueID, _ config: Config, from inputs: Int,
    to outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1
  ) -> ValueID {
    let y = b.convolution(
      name, x, from: inputs, to: outputs, kernel: kernel, stride: stride,
      padding: .symmetric(kernel / 2 * dilation), dilation: dilation, groups: groups,
      bias: config.convolutionBias ?? false)
    return b.batchNorm(norm, y, channels: outputs, epsilon: config.epsilon ?? 1e-5)
  }

  static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.layers.count, in: 1...8, "number of layers")
    for count in config.layers { try check.require(count, in: ConfigCheck.blocks, "layers") }
    let width = config.width ?? 64
    let groups = config.groups ?? 1
    let perGroup = config.widthPerGroup ?? 64
    try check.require(width, in: 1...4096, "width")
    try check.require(groups, in: 1...4096, "groups")
    try check.require(perGroup, in: 1...4096, "widthPerGroup")
    let planes = width << (config.layers.count - 1)
    try check.require(planes * config.block.expansion, in: ConfigCheck.channels, "width of the last stage")
    try check.require(width * perGroup / 64, in: ConfigCheck.channels, "channels of a group")
    try check.require(planes * perGroup / 64 * groups, in: ConfigCheck.channels, "width of the last 3×3 convolution")
    try check.requireEpsilon(config.epsilon ?? 1e-5)
    if config.block == .basic {
      try check.require(config.strideFirst != true, "strideFirst", found: true, expected: "false with basic blocks")
      try check.require(groups == 1, "groups", found: groups, expected: "1 with basic blocks")
      try check.require(perGroup == 64, "widthPerGroup", found: perGroup, expected: "64 with basic blocks")
    }
    let stem = config.stem ?? Stem()
    try check.require(stem.kernel % 2 == 1, "stem kernel", found: stem.kernel, expected: "an odd number")
    try check.require(stem.kernel, in: 1...31, "stem kernel")
    try check.require(stem.stride, in: 1...16, "stem stride")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
