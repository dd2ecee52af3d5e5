/// RegNet: Radosavovic et al., "Designing Network Design Spaces", 2020 (arXiv:2003.13678), with squeeze and excitation
/// (RegNetY) or without (RegNetX). Tensors are named as torchvision names them.
public enum RegNet: NetworkFamily {
  public static let name = "regnet"

  public struct Config: Codable, Sendable, Equatable {
    /// Blocks in each stage.
    public var depths: [Int]
    /// Channels of each stage.
    public var widths: [Int]
    /// Channels of a group of the 3×3 convolutions; narrower stages are one group.
    public var groupWidth: Int
    /// Squeezed channels by a block's inputs, such as 0.25; none where absent.
    public var squeeze: Double?
    /// Outputs of the stem; default 32.
    public var stem: Int?

    public init(depths: [Int], widths: [Int], groupWidth: Int, squeeze: Double? = nil, stem: Int? = nil) {
      self.depths = depths
      self.widths = widths
      self.groupWidth = groupWidth
      self.squeeze = squeeze
      self.stem = stem
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var b = GraphBuilder()
    b.beginStage("stem")
    var channels = config.stem ?? 32
    var x = b.convolutionBlock("stem", b.input, from: 3, to: channels, kernel: 3, stride: 2, activation: .relu)
    for (index, (depth, width)) in zip(config.depths, config.widths).enumerated() {
      let stage = "block\(index + 1)"
      b.beginStage(stage)
      for number in 0..<depth {
        x = b.scope("trunk_output.\(stage).\(stage)-\(number)") { b in
          block(&b, x, config, from: channels, to: width, stride: number == 0 ? 2 : 1)
        }
        channels = width
      }
    }
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.linear("fc", x, from: channels, to: classes)
    return b.finish(outputs: [x])
  }

  /// Figure 4: the residual bottleneck block with group convolution, whose bottleneck has all channels.
  private static func block(
    _ b: inout GraphBuilder, _ x: ValueID, _ config: Config, from inputs: Int, to width: Int, stride: Int
  ) -> ValueID {
    let isProjected = inputs != width || stride != 1
    let shortcut = isProjected ? b.convolutionBlock("proj", x, from: inputs, to: width, kernel: 1, stride: stride) : x
    let y = b.scope("f") { b in
      var y = b.convolutionBlock("a", x, from: inputs, to: width, kernel: 1, activation: .relu)
      y = b.convolutionBlock(
        "b", y, from: width, to: width, kernel: 3, stride: stride, groups: width / min(config.groupWidth, width),
        activation: .relu)
      if let squeeze = config.squeeze {
        let squeezed = Int((squeeze * Double(inputs)).rounded(.toNearestOrEven))
        y = b.squeezeExcitation("se", y, channels: width, squeezed: squeezed, activation: .relu)
      }
      return b.convolutionBlock("c", y, from: width, to: width, kernel: 1)
    }
    return b.relu(b.sum(shortcut, y))
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.requireStages(config.depths, each: config.widths, "widths")
    try check.require(config.groupWidth, in: ConfigCheck.channels, "groupWidth")
    for width in config.widths {
      try check.require(width, in: ConfigCheck.channels, "widths")
      try check.require(
        width % min(config.groupWidth, width) == 0, "widths", found: width,
        expected: "a multiple of \(config.groupWidth)")
    }
    let stem = config.stem ?? 32
    try check.require(stem, in: ConfigCheck.channels, "stem")
    if let squeeze = config.squeeze {
      let least = Double(min(stem, config.widths.min() ?? 1))
      try check.require(
        squeeze * least >= 1 && squeeze <= 1, "squeeze", found: squeeze, expected: "\(1 / least) to 1")
    }
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
