/// GoogLeNet: Szegedy et al., "Going Deeper with Convolutions", 2014 (arXiv:1409.4842), table 1, with BatchNorm after
/// each convolution and without local response normalisation.
///
/// Tensors are named as torchvision names them. As in torchvision, and other than in the table, the modules' 5×5
/// convolutions have a window of 3×3.
public enum GoogLeNet: NetworkFamily {
  public static let name = "googlenet"

  public struct Config: AuxiliaryConfig, Equatable {
    /// Whether the state dict holds the two auxiliary classifiers, which only training uses; default false.
    public var auxiliary: Bool?
    /// Whether pictures come normalised with ImageNet's mean and deviation and are brought back to -1…1, as torchvision's
    /// pretrained weights need; default false.
    public var transformsInput: Bool?
    /// Before the classifier; default 0.2.
    public var dropout: Float?
    /// Scales the channels of every layer, rounded up; default 1.
    public var widthMultiplier: Double?

    public init(
      auxiliary: Bool? = nil, transformsInput: Bool? = nil, dropout: Float? = nil, widthMultiplier: Double? = nil
    ) {
      self.auxiliary = auxiliary
      self.transformsInput = transformsInput
      self.dropout = dropout
      self.widthMultiplier = widthMultiplier
    }
  }

  /// A row of table 1: outputs of the four branches, and of the convolutions that stand before the second and the third.
  private struct Module {
    let name: String
    let branch1: Int
    let branch2: (reduced: Int, outputs: Int)
    let branch3: (reduced: Int, outputs: Int)
    let branch4: Int

    init(_ name: String, _ branch1: Int, _ branch2: (Int, Int), _ branch3: (Int, Int), _ branch4: Int) {
      self.name = name
      self.branch1 = branch1
      self.branch2 = branch2
      self.branch3 = branch3
      self.branch4 = branch4
    }
  }

  private static let modules = [
    [Module("3a", 64, (96, 128), (16, 32), 32), Module("3b", 128, (128, 192), (32, 96), 64)],
    [
      Module("4a", 192, (96, 208), (16, 48), 64), Module("4b", 160, (112, 224), (24, 64), 64),
      Module("4c", 128, (128, 256), (24, 64), 64), Module("4d", 112, (144, 288), (32, 64), 64),
      Module("4e", 256, (160, 320), (32, 128), 128),
    ],
    [Module("5a", 256, (160, 320), (32, 128), 128), Module("5b", 384, (192, 384), (48, 128), 128)],
  ]

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let check = ConfigCheck(family: name)
    let multiplier = config.widthMultiplier ?? 1
    try check.require(
      multiplier >= 0.01 && multiplier <= 16, "widthMultiplier", found: multiplier, expected: "0.01 to 16")
    try check.requireProbability(config.dropout ?? 0.2, "dropout")
    try check.require(classes, in: ConfigCheck.classes, "classes")
    var network = GoogLeNetwork(config)
    network.stem()
    for (stage, modules) in Self.modules.enumerated() {
      for module in modules {
        network.add(module)
        if config.auxiliary == true, module.name == "4a" { network.auxiliary("aux1", classes: classes) }
        if config.auxiliary == true, module.name == "4d" { network.auxiliary("aux2", classes: classes) }
      }
      // torchvision's fourth pooling has a window of 2×2, the paper's one of 3×3.
      if stage < 2 { network.pool(stage == 0 ? 3 : 2) }
    }
    return network.finish(classes: classes)
  }

  private struct GoogLeNetwork {
    private let config: Config
    private var b = GraphBuilder()
    private var x: ValueID
    /// Channels of `x`.
    private var channels = 3

    init(_ config: Config) {
      self.config = config
      x = b.input
    }

    mutating func stem() {
      b.beginStage("stem")
      if config.transformsInput == true { x = b.transformInput(x) }
      x = layer("conv1", x, from: 3, to: 64, kernel: 7, stride: 2)
      pool(3)
      x = layer("conv2", x, from: scaled(64), to: 64, kernel: 1)
      x = layer("conv3", x, from: scaled(64), to: 192, kernel: 3)
      pool(3)
      channels = scaled(192)
    }

    mutating func pool(_ kernel: Int) {
      x = b.maxPool(x, Pooling(kernel: [kernel, kernel], stride: [2, 2], ceilMode: true))
    }

    /// Figure 2 (b): four branches side by side.
    mutating func add(_ module: Module) {
      let name = "inception\(module.name)"
      b.beginStage(name)
      let first = layer("\(name).branch1", x, from: channels, to: module.branch1, kernel: 1)
      let second = pair("\(name).branch2", module.branch2)
      let third = pair("\(name).branch3", module.branch3)
      let pooled = b.maxPool(
        x, Pooling(kernel: [3, 3], stride: [1, 1], padding: .symmetric(1), ceilMode: true))
      let fourth = layer("\(name).branch4.1", pooled, from: channels, to: module.branch4, kernel: 1)
      x = b.concatenate([first, second, third, fourth])
      channels = [module.branch1, module.branch2.outputs, module.branch3.outputs, module.branch4].map(scaled)
        .reduce(0, +)
    }

    private mutating func pair(_ name: String, _ widths: (reduced: Int, outputs: Int)) -> ValueID {
      let y = layer("\(name).0", x, from: channels, to: widths.reduced, kernel: 1)
      return layer("\(name).1", y, from: scaled(widths.reduced), to: widths.outputs, kernel: 3)
    }

    /// A classifier beside the network that helps to train it: its tensors are kept, nothing is computed.
    mutating func auxiliary(_ name: String, classes: Int) {
      let (x, channels, config) = (x, channels, config)
      let hidden = Self.scaled(1024, config)
      b.parametersOnly { b in
        let y = Self.layer(&b, "\(name).conv", x, from: channels, to: 128, kernel: 1, config: config)
        _ = b.linear("\(name).fc1", y, from: 16 * Self.scaled(128, config), to: hidden)
        _ = b.linear("\(name).fc2", y, from: hidden, to: classes)
      }
    }

    mutating func finish(classes: Int) -> Graph {
      x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
      b.beginStage("head")
      x = b.dropout(x, probability: config.dropout ?? 0.2)
      x = b.linear("fc", x, from: channels, to: classes)
      return b.finish(outputs: [x])
    }

    /// A convolution that keeps the size but for its stride, BatchNorm and ReLU: `conv1.conv`, `conv1.bn`.
    ///
    /// - Parameter outputs: before scaling.
    private mutating func layer(
      _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: Int, stride: Int = 1
    ) -> ValueID {
      Self.layer(&b, name, x, from: inputs, to: outputs, kernel: kernel, stride: stride, config: config)
    }

    private static func layer(
      _ b: inout GraphBuilder, _ name: String, _ x: ValueID, from inputs: Int, to outputs: Int, kernel: Int,
      stride: Int = 1, config: Config
    ) -> ValueID {
      let width = scaled(outputs, config)
      return b.scope(name) { b in
        let y = b.convolution(
          "conv", x, from: inputs, to: width, kernel: kernel, stride: stride, padding: .symmetric(kernel / 2))
        return b.relu(b.batchNorm("bn", y, channels: width, epsilon: 1e-3))
      }
    }

    private func scaled(_ channels: Int) -> Int { Self.scaled(channels, config) }

    private static func scaled(_ channels: Int, _ config: Config) -> Int {
      Int((Double(channels) * (config.widthMultiplier ?? 1)).rounded(.up))
    }
  }
}
