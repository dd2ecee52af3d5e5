/// Inception v3: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015 (arXiv:1512.00567),
/// table 1, with BatchNorm after each convolution.
///
/// Tensors are named as torchvision names them. The published networks have fewer channels than the table in the stem
/// (80 for the fifth convolution's inputs) and other widths inside the modules, as Google's code had them.
public enum InceptionV3: NetworkFamily {
  public static let name = "inception_v3"

  public struct Config: AuxiliaryConfig, Equatable {
    /// Whether the state dict holds the auxiliary classifier, which only training uses; default false.
    public var auxiliary: Bool?
    /// Whether average poolings count the padding, as torchvision's do and Keras's don't; default true.
    public var countsPadding: Bool?
    /// Whether pictures come normalised with ImageNet's mean and deviation and are brought back to -1…1, as torchvision's
    /// pretrained weights need; default false.
    public var transformsInput: Bool?
    /// BatchNorm's; default 1e-3.
    public var epsilon: Float?
    /// Before the classifier; default 0.5.
    public var dropout: Float?
    /// Scales the channels of every layer, rounded up; default 1.
    public var widthMultiplier: Double?

    public init(
      auxiliary: Bool? = nil, countsPadding: Bool? = nil, transformsInput: Bool? = nil, epsilon: Float? = nil,
      dropout: Float? = nil, widthMultiplier: Double? = nil
    ) {
      self.auxiliary = auxiliary
      self.countsPadding = countsPadding
      self.transformsInput = transformsInput
      self.epsilon = epsilon
      self.dropout = dropout
      self.widthMultiplier = widthMultiplier
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let check = ConfigCheck(family: name)
    let multiplier = config.widthMultiplier ?? 1
    try check.require(
      multiplier >= 0.01 && multiplier <= 16, "widthMultiplier", found: multiplier, expected: "0.01 to 16")
    try check.requireEpsilon(config.epsilon ?? 1e-3)
    try check.requireProbability(config.dropout ?? 0.5, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
    var network = InceptionNetwork(config)
    return network.build(classes: classes)
  }
}

/// Writes the modules down; each is a list of branches, each branch a list of convolutions.
private struct InceptionNetwork {
  private let config: InceptionV3.Config
  private var b = GraphBuilder()
  private var x: ValueID
  /// Channels of `x`.
  private var channels = 3

  /// A convolution with BatchNorm and ReLU: `Conv2d_1a_3x3.conv`, `Conv2d_1a_3x3.bn`.
  private struct Layer {
    let name: String
    let outputs: Int
    let kernel: [Int]
    let stride: Int
    let isPadded: Bool

    init(_ name: String, _ outputs: Int, _ kernel: [Int], stride: Int = 1, isPadded: Bool = true) {
      self.name = name
      self.outputs = outputs
      self.kernel = kernel
      self.stride = stride
      self.isPadded = isPadded
    }
  }

  init(_ config: InceptionV3.Config) {
    self.config = config
    x = b.input
  }

  mutating func build(classes: Int) -> Graph {
    b.beginStage("stem")
    if config.transformsInput == true { x = b.transformInput(x) }
    stem()
    for (name, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] { module5(name, pooled: pooled) }
    reduction6("Mixed_6a")
    for (name, width) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
      module6(name, width: width)
    }
    if config.auxiliary == true { auxiliary(classes: classes) }
    reduction7("Mixed_7a")
    for name in ["Mixed_7b", "Mixed_7c"] { module7(name) }
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.dropout(x, probability: config.dropout ?? 0.5)
    x = b.linear("fc", x, from: channels, to: classes)
    return b.finish(outputs: [x])
  }

  /// 299×299×3 to 35×35×192.
  private mutating func stem() {
    let pooling = Pooling(kernel: [3, 3], stride: [2, 2])
    add(Layer("Conv2d_1a_3x3", 32, [3, 3], stride: 2, isPadded: false))
    add(Layer("Conv2d_2a_3x3", 32, [3, 3], isPadded: false))
    add(Layer("Conv2d_2b_3x3", 64, [3, 3]))
    x = b.maxPool(x, pooling)
    add(Layer("Conv2d_3b_1x1", 80, [1, 1], isPadded: false))
    add(Layer("Conv2d_4a_3x3", 192, [3, 3], isPadded: false))
    x = b.maxPool(x, pooling)
  }

  /// Figure 5 of the paper, 35×35.
  private mutating func module5(_ name: String, pooled: Int) {
    module(
      name,
      [
        [Layer("branch1x1", 64, [1, 1])],
        [Layer("branch5x5_1", 48, [1, 1]), Layer("branch5x5_2", 64, [5, 5])],
        [
          Layer("branch3x3dbl_1", 64, [1, 1]), Layer("branch3x3dbl_2", 96, [3, 3]),
          Layer("branch3x3dbl_3", 96, [3, 3]),
        ],
      ], pooled: Layer("branch_pool", pooled, [1, 1]))
  }

  /// Figure 10, 35×35 to 17×17.
  private mutating func reduction6(_ name: String) {
    reduction(
      name,
      [
        [Layer("branch3x3", 384, [3, 3], stride: 2, isPadded: false)],
        [
          Layer("branch3x3dbl_1", 64, [1, 1]), Layer("branch3x3dbl_2", 96, [3, 3]),
          Layer("branch3x3dbl_3", 96, [3, 3], stride: 2, isPadded: false),
        ],
      ])
  }

  /// Figure 6 with n = 7, 17×17.
  private mutating func module6(_ name: String, width: Int) {
    module(
      name,
      [
        [Layer("branch1x1", 192, [1, 1])],
        [
          Layer("branch7x7_1", width, [1, 1]), Layer("branch7x7_2", width, [1, 7]),
          Layer("branch7x7_3", 192, [7, 1]),
        ],
        [
          Layer("branch7x7dbl_1", width, [1, 1]), Layer("branch7x7dbl_2", width, [7, 1]),
          Layer("branch7x7dbl_3", width, [1, 7]), Layer("branch7x7dbl_4", width, [7, 1]),
          Layer("branch7x7dbl_5", 192, [1, 7]),
        ],
      ], pooled: Layer("branch_pool", 192, [1, 1]))
  }

  /// 17×17 to 8×8.
  private mutating func reduction7(_ name: String) {
    reduction(
      name,
      [
        [Layer("branch3x3_1", 192, [1, 1]), Layer("branch3x3_2", 320, [3, 3], stride: 2, isPadded: false)],
        [
          Layer("branch7x7x3_1", 192, [1, 1]), Layer("branch7x7x3_2", 192, [1, 7]),
          Layer("branch7x7x3_3", 192, [7, 1]), Layer("branch7x7x3_4", 192, [3, 3], stride: 2, isPadded: false),
        ],
      ])
  }

  /// Figure 7, 8×8: two branches end in a fork of 1×3 beside 3×1.
  private mutating func module7(_ name: String) {
    module(
      name,
      [
        [Layer("branch1x1", 320, [1, 1])],
        [Layer("branch3x3_1", 384, [1, 1])],
        [Layer("branch3x3dbl_1", 448, [1, 1]), Layer("branch3x3dbl_2", 384, [3, 3])],
      ],
      forks: [
        [], [Layer("branch3x3_2a", 384, [1, 3]), Layer("branch3x3_2b", 384, [3, 1])],
        [Layer("branch3x3dbl_3a", 384, [1, 3]), Layer("branch3x3dbl_3b", 384, [3, 1])],
      ], pooled: Layer("branch_pool", 192, [1, 1]))
  }

  /// A classifier beside the network that helps to train it: its tensors are kept, nothing is computed.
  private mutating func auxiliary(classes: Int) {
    let (before, width) = (x, channels)
    let (conv0, conv1) = (Layer("conv0", 128, [1, 1]), Layer("conv1", 768, [5, 5], isPadded: false))
    let config = config
    b.parametersOnly { b in
      b.scope("AuxLogits") { b in
        let first = Self.add(&b, conv0, before, from: width, config)
        let second = Self.add(&b, conv1, first, from: Self.scaled(conv0.outputs, config), config)
        _ = b.linear("fc", b.flatten(second), from: Self.scaled(conv1.outputs, config), to: classes)
      }
    }
  }

  // MARK: building blocks

  /// Branches side by side, the last an average pooling and a convolution.
  private mutating func module(
    _ name: String, _ branches: [[Layer]], forks: [[Layer]] = [], pooled: Layer
  ) {
    b.beginStage(name)
    let (input, width, config) = (x, channels, config)
    x = b.scope(name) { b in
      var parts: [ValueID] = []
      for (index, branch) in branches.enumerated() {
        let (end, endWidth) = Self.chain(&b, branch, input, from: width, config)
        let fork = index < forks.count ? forks[index] : []
        let tips = fork.map { Self.add(&b, $0, end, from: endWidth, config) }
        parts.append(tips.isEmpty ? end : b.concatenate(tips))
      }
      let average = b.averagePool(
        input,
        Pooling(
          kernel: [3, 3], stride: [1, 1], padding: .symmetric(1), countIncludePad: config.countsPadding ?? true))
      parts.append(Self.add(&b, pooled, average, from: width, config))
      return b.concatenate(parts)
    }
    channels = zip(branches, forks + Array(repeating: [], count: branches.count)).reduce(
      Self.scaled(pooled.outputs, config)
    ) { sum, branch in
      let ends = branch.1.isEmpty ? Array(branch.0.suffix(1)) : branch.1
      return sum + ends.reduce(0) { $0 + Self.scaled($1.outputs, config) }
    }
  }

  /// Branches that halve the picture, the last a max pooling.
  private mutating func reduction(_ name: String, _ branches: [[Layer]]) {
    b.beginStage(name)
    let (input, width, config) = (x, channels, config)
    x = b.scope(name) { b in
      var parts = branches.map { Self.chain(&b, $0, input, from: width, config).0 }
      parts.append(b.maxPool(input, Pooling(kernel: [3, 3], stride: [2, 2])))
      return b.concatenate(parts)
    }
    channels += branches.reduce(0) { $0 + ($1.last.map { Self.scaled($0.outputs, config) } ?? 0) }
  }

  private mutating func add(_ layer: Layer) {
    x = Self.add(&b, layer, x, from: channels, config)
    channels = Self.scaled(layer.outputs, config)
  }

  private static func chain(
    _ b: inout GraphBuilder, _ layers: [Layer], _ x: ValueID, from inputs: Int, _ config: InceptionV3.Config
  ) -> (ValueID, Int) {
    layers.reduce((x, inputs)) { (add(&b, $1, $0.0, from: $0.1, config), scaled($1.outputs, config)) }
  }

  private static func add(
    _ b: inout GraphBuilder, _ layer: Layer, _ x: ValueID, from inputs: Int, _ config: InceptionV3.Config
  ) -> ValueID {
    let (height, width) = layer.isPadded ? (layer.kernel[0] / 2, layer.kernel[1] / 2) : (0, 0)
    let outputs = scaled(layer.outputs, config)
    return b.scope(layer.name) { b in
      let y = b.convolution(
        "conv", x, from: inputs, to: outputs, kernel: layer.kernel, stride: layer.stride,
        padding: .explicit(top: height, left: width, bottom: height, right: width))
      return b.relu(b.batchNorm("bn", y, channels: outputs, epsilon: config.epsilon ?? 1e-3))
    }
  }

  private static func scaled(_ channels: Int, _ config: InceptionV3.Config) -> Int {
    Int((Double(channels) * (config.widthMultiplier ?? 1)).rounded(.up))
  }
}
