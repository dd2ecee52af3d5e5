import Foundation

/// Swin Transformer: Liu et al., "Hierarchical Vision Transformer using Shifted Windows", 2021 (arXiv:2103.14030), section
/// 3 and figure 3, and its second version (arXiv:2111.09883), figure 1.
///
/// Tensors are named as torchvision names them. Stochastic depth, which only training from scratch uses, is left out.
public enum SwinTransformer: NetworkFamily {
  public static let name = "swin_transformer"

  public struct Config: Codable, Sendable, Equatable {
    /// 1 or 2; default 1.
    public var version: Int?
    /// Channels of the first stage, doubled with each further one.
    public var width: Int
    /// Blocks in each stage.
    public var depths: [Int]
    /// Attention's heads in each stage.
    public var heads: [Int]
    /// Side of a window, in patches of 4 × 4 pixels.
    public var window: Int

    public init(version: Int? = nil, width: Int, depths: [Int], heads: [Int], window: Int) {
      self.version = version
      self.width = width
      self.depths = depths
      self.heads = heads
      self.window = window
    }
  }

  /// LayerNorm's, as published.
  private static let epsilon: Float = 1e-5
  /// Hidden channels of the second version's position bias.
  private static let biasChannels = 512

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    var channels = config.width

    var b = GraphBuilder()
    b.beginStage("stem")
    var x = b.scope("features.0") { b in
      let patches = b.convolution("0", b.input, from: 3, to: channels, kernel: 4, stride: 4, bias: true)
      return b.layerNorm("2", patches, channels: channels, epsilon: epsilon)
    }
    for (stage, (depth, heads)) in zip(config.depths, config.heads).enumerated() {
      b.beginStage("stage\(stage + 1)")
      if stage > 0 {
        x = b.scope("features.\(2 * stage)") { b in merge(&b, x, channels, config) }
        channels *= 2
      }
      for index in 0..<depth {
        x = b.scope("features.\(2 * stage + 1).\(index)") { b in
          block(&b, x, Block(config: config, channels: channels, heads: heads, isShifted: index % 2 == 1))
        }
      }
    }
    x = b.layerNorm("norm", x, channels: channels, epsilon: epsilon)
    x = b.flatten(b.adaptiveAveragePool(x, height: 1, width: 1))
    b.beginStage("head")
    x = b.linear("head", x, from: channels, to: classes)
    return b.finish(outputs: [x])
  }

  /// Two by two patches become one of twice the channels.
  private static func merge(_ b: inout GraphBuilder, _ x: ValueID, _ channels: Int, _ config: Config) -> ValueID {
    let even = b.rearrange(.padToMultiple(height: 2, width: 2), [x], name: "pad")
    let merged = b.rearrange(.mergeNeighbours, [even], name: "merge")
    if config.version == 2 {
      let reduced = b.linear("reduction", merged, from: 4 * channels, to: 2 * channels, bias: false)
      return b.layerNorm("norm", reduced, channels: 2 * channels, epsilon: epsilon)
    }
    let normal = b.layerNorm("norm", merged, channels: 4 * channels, epsilon: epsilon)
    return b.linear("reduction", normal, from: 4 * channels, to: 2 * channels, bias: false)
  }

  private struct Block {
    let config: Config
    let channels: Int
    let heads: Int
    let isShifted: Bool
    var window: [Int] { [config.window, config.window] }
  }

  /// Attention in windows and a pair of linear layers at each patch, each behind a LayerNorm; in the second version, before
  /// one.
  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ block: Block) -> ValueID {
    func normal(_ b: inout GraphBuilder, _ name: String, _ x: ValueID) -> ValueID {
      b.layerNorm(name, x, channels: block.channels, epsilon: epsilon)
    }
    func perceptron(_ b: inout GraphBuilder, _ x: ValueID) -> ValueID {
      let wide = b.linear("mlp.0", x, from: block.channels, to: 4 * block.channels)
      return b.linear("mlp.3", b.activation(.gelu, wide, name: "gelu"), from: 4 * block.channels, to: block.channels)
    }
    if block.config.version == 2 {
      let attended = b.sum(normal(&b, "norm1", attention(&b, x, block)), x)
      return b.sum(normal(&b, "norm2", perceptron(&b, attended)), attended)
    }
    let attended = b.sum(attention(&b, normal(&b, "norm1", x), block), x)
    return b.sum(perceptron(&b, normal(&b, "norm2", attended)), attended)
  }

  /// Pictures that windows don't divide are padded with zeros, whose keys and values are the projection's biases.
  private static func attention(_ b: inout GraphBuilder, _ x: ValueID, _ block: Block) -> ValueID {
    let (channels, side) = (block.channels, block.config.window)
    let shift = block.isShifted ? side / 2 : 0
    return b.scope("attn") { b in
      b.positionIndex(window: block.window, isFlat: true)
      let padded = b.rearrange(.padToMultiple(height: side, width: side), [x], name: "pad")
      var attention = Attention(
        heads: block.heads, partition: .windows(height: side, width: side, shift: [shift, shift]),
        scale: 1 / Float(channels / block.heads).squareRoot(), hasPositionBias: true)
      let attended: ValueID
      if block.config.version == 2 {
        attention.isCosine = true
        // Section 3.2's temperature τ is 0.1 at first, as torchvision begins it.
        let scales = b.ownParameter("logit_scale", [block.heads, 1, 1], initial: .constant(log(10)))
        // Keys have no bias; the state dict has one of zeros.
        let plain = b.linear("qkv", padded, from: channels, to: 3 * channels, bias: false)
        let projected = b.channelShift(
          "qkv.bias", plain, channels: 3 * channels, exceptions: channels..<2 * channels)
        attended = b.attention(attention, [projected, continuousBias(&b, block), scales])
      } else {
        let table = b.positionBiasTable(window: block.window, heads: block.heads)
        let projected = b.linear("qkv", padded, from: channels, to: 3 * channels)
        attended = b.attention(attention, [projected, table])
      }
      return b.rearrange(.crop, [b.linear("proj", attended, from: channels, to: channels), x], name: "crop")
    }
  }

  /// The second version's position bias: a small network of the relative position, 16 · sigmoid of it (section 3.3).
  private static func continuousBias(_ b: inout GraphBuilder, _ block: Block) -> ValueID {
    let (height, width) = (2 * block.window[0] - 1, 2 * block.window[1] - 1)
    let table = b.ownParameter("relative_coords_table", [1, height, width, 2], isBuffer: true)
    var y = b.reshape(table, to: [height * width, 2])
    y = b.relu(b.linear("cpb_mlp.0", y, from: 2, to: biasChannels))
    y = b.activation(.sigmoid, b.linear("cpb_mlp.2", y, from: biasChannels, to: block.heads, bias: false))
    let factors = [Float](repeating: 16, count: block.heads)
    return b.channelAffine(y, scale: factors, shift: factors.map { _ in 0 }, name: "position_bias")
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.version ?? 1, in: 1...2, "version")
    try check.requireStages(config.depths, each: config.heads, "heads")
    try check.require(config.width, in: 1...1024, "width")
    for (stage, heads) in config.heads.enumerated() {
      try check.require(heads, in: 1...65_536, "heads")
      let channels = config.width << stage
      try check.require(channels % heads == 0, "heads", found: heads, expected: "a divisor of \(channels)")
    }
    try check.require(config.window, in: 2...64, "window")
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
