/// Vision Transformer: Dosovitskiy et al., "An Image Is Worth 16x16 Words", 2020 (arXiv:2010.11929), table 1 and figure 1.
///
/// Tensors are named as torchvision names them. Pictures of any size that patches divide run: the position embeddings,
/// learnt for `imageSize`, are interpolated.
public enum VisionTransformer: NetworkFamily {
  public static let name = "vision_transformer"

  public struct Config: Codable, Sendable, Equatable {
    /// Side of a patch, in pixels.
    public var patch: Int
    public var layers: Int
    public var heads: Int
    /// Channels of a token, table 1's hidden size D.
    public var hiddenSize: Int
    /// Channels between the two linear layers of a block.
    public var mlpSize: Int
    /// Side of the pictures that the position embeddings are learnt for; default 224.
    public var imageSize: Int?
    /// LayerNorm's; default 1e-6.
    public var epsilon: Float?

    public init(
      patch: Int, layers: Int, heads: Int, hiddenSize: Int, mlpSize: Int, imageSize: Int? = nil, epsilon: Float? = nil
    ) {
      self.patch = patch
      self.layers = layers
      self.heads = heads
      self.hiddenSize = hiddenSize
      self.mlpSize = mlpSize
      self.imageSize = imageSize
      self.epsilon = epsilon
    }

    fileprivate var norm: Float { epsilon ?? 1e-6 }
  }

  /// Side of the pictures where the configuration doesn't say.
  private static let usualSide = 224

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config, classes: classes)
    let side = (config.imageSize ?? usualSide) / config.patch

    var b = GraphBuilder()
    b.beginStage("stem")
    let patches = b.convolution(
      "conv_proj", b.input, from: 3, to: config.hiddenSize, kernel: config.patch, stride: config.patch, bias: true)
    var x = b.tokens(
      patches, classToken: "class_token", positions: "encoder.pos_embedding", width: config.hiddenSize,
      patches: side * side)
    for layer in 0..<config.layers {
      b.beginStage("layer\(layer + 1)")
      x = b.scope("encoder.layers.encoder_layer_\(layer)") { b in block(&b, x, config) }
    }
    // Only the class token goes on, and each token is normalised by itself.
    x = b.rearrange(.pixel(0), [x], name: "class_token")
    x = b.layerNorm("encoder.ln", x, channels: config.hiddenSize, epsilon: config.norm)
    b.beginStage("head")
    x = b.linear("heads.head", x, from: config.hiddenSize, to: classes)
    return b.finish(outputs: [x])
  }

  public static func pictureSide(_ config: Config) -> Int? { config.imageSize ?? usualSide }

  /// Figure 1, right: attention, then a pair of linear layers at each token, both behind a LayerNorm.
  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ config: Config) -> ValueID {
    let width = config.hiddenSize
    var y = b.layerNorm("ln_1", x, channels: width, epsilon: config.norm)
    y = b.scope("self_attention") { b in
      let projected = b.linear(
        "in_proj", weight: "in_proj_weight", bias: "in_proj_bias", y, from: width, to: 3 * width)
      let scale = 1 / Float(width / config.heads).squareRoot()
      return b.linear(
        "out_proj", b.attention(Attention(heads: config.heads, scale: scale), [projected]), from: width, to: width)
    }
    let attended = b.sum(y, x)
    y = b.layerNorm("ln_2", attended, channels: width, epsilon: config.norm)
    y = b.activation(.gelu, b.linear("mlp.0", y, from: width, to: config.mlpSize), name: "gelu")
    return b.sum(b.linear("mlp.3", y, from: config.mlpSize, to: width), attended)
  }

  private static func check(_ config: Config, classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.layers, in: ConfigCheck.blocks, "layers")
    try check.require(config.hiddenSize, in: 1...16_384, "hiddenSize")
    try check.require(config.mlpSize, in: ConfigCheck.channels, "mlpSize")
    try check.require(config.heads, in: 1...config.hiddenSize, "heads")
    try check.require(
      config.hiddenSize % config.heads == 0, "heads", found: config.heads, expected: "a divisor of \(config.hiddenSize)"
    )
    try check.require(config.patch, in: 1...1024, "patch")
    let side = config.imageSize ?? usualSide
    try check.require(side, in: config.patch...16_384, "imageSize")
    try check.require(side / config.patch <= 1024, "imageSize", found: side, expected: "at most 1024 patches a side")
    try check.require(
      side % config.patch == 0, "imageSize", found: side, expected: "a multiple of \(config.patch)")
    try check.requireEpsilon(config.norm)
    try check.require(classes, in: ConfigCheck.classes, "classes")
  }
}
