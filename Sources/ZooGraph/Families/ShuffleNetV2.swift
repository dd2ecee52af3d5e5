/// ShuffleNet V2: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018
/// (arXiv:1807.11164), table 5 and figure 3 (c) and (d). Tensors are named as torchvision names them.
public enum ShuffleNetV2: NetworkFamily {
  public static let name = "shufflenet_v2"

  public struct Config: Codable, Sendable, Equatable {
    /// Channels of the stem, of each stage and of the last convolution.
    public var channels: [Int]
    /// Blocks in each stage; default 4, 8, 4.
    public var repeats: [Int]?

    public init(channels: [Int], repeats: [Int]? = nil) {
      self.channels = channels
      self.repeats = repeats
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let repeats = config.repeats ?? [4, 8, 4]
    try check(config, repeats: repeats, classes: classes)
    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = config.channels[0]
    var x = b.scope("conv1") { b in
      b.relu(b.normalizedConvolution(0, b.input, from: 3, to: channels, kernel: 3, stride: 2))
    }
    x = b.maxPool(x, Pooling(kernel: [3, 3], stride: [2, 2], padding: .symmetric(1)))
    for (index, count) in repeats.enumerated() {
      b.beginStage("stage\(index + 2)")
      let outputs = config.channels[index + 1]
      for block in 0..<count {
        x = b.scope("stage\(index + 2).\(block)") { b in
          block == 0 ? halving(&b, x, from: channels, to: outputs) : keeping(&b, x, channels: outputs)
        }
        channels = outputs
      }
    }
    let features = config.channels[repeats.count + 1]
    b.beginStage("conv5")
    x = b.scope("conv5") { b in b.relu(b.normalizedConvolution(0, x, from: channels, to: features, kernel: 1)) }
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.linear("fc", x, from: features, to: classes)
    return b.finish(outputs: [x])
  }

  /// Figure 3 (c): half of the channels pass by, half go through three convolutions.
  private static func keeping(_ b: inout GraphBuilder, _ x: ValueID, channels: Int) -> ValueID {
    let half = channels / 2
    let kept = b.channels(0..<half, of: x)
    let y = branch(&b, b.channels(half..<channels, of: x), from: half, to: half, stride: 1)
    return b.channelShuffle(b.concatenate([kept, y]), channels: channels, groups: 2)
  }

  /// Figure 3 (d): both branches see all channels and halve the picture.
  private static func halving(_ b: inout GraphBuilder, _ x: ValueID, from inputs: Int, to outputs: Int) -> ValueID {
    let half = outputs / 2
    let first = b.scope("branch1") { b in
      let y = b.normalizedConvolution(0, x, from: inputs, to: inputs, kernel: 3, stride: 2, groups: inputs)
      return b.relu(b.normalizedConvolution(2, y, from: inputs, to: half, kernel: 1))
    }
    let second = branch(&b, x, from: inputs, to: half, stride: 2)
    return b.channelShuffle(b.concatenate([first, second]), channels: outputs, groups: 2)
  }

  private static func branch(
    _ b: inout GraphBuilder, _ x: ValueID, from inputs: Int, to outputs: Int, stride: Int
  ) -> ValueID {
    b.scope("branch2") { b in
      var y = b.relu(b.normalizedConvolution(0, x, from: inputs, to: outputs, kernel: 1))
      y = b.normalizedConvolution(3, y, from: outputs, to: outputs, kernel: 3, stride: stride, groups: outputs)
      return b.relu(b.normalizedConvolution(5, y, from: outputs, to: outputs, kernel: 1))
    }
  }

  private static func check(_ config: Config, repeats: [Int], classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(repeats.count, in: 1...8, "number of repeats")
    for count in repeats { try check.require(count, in: ConfigCheck.blocks, "repeats") }
    try check.require(
      config.channels.count == repeats.count + 2, "channels", found: config.channels,
      expected: "\(repeats.count + 2) numbers")
    for width in config.channels { try check.require(width, in: ConfigCheck.channels, "channels") }
    for width in config.channels.dropFirst().dropLast() {
      try check.require(width % 2 == 0, "channels", found: width, expected: "an even number")
    }
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
