/// T5, T5 1.1, FLAN-T5 and mT5: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
/// Transformer", 2020 (arXiv:1910.10683), section 2.1; gated layers: Shazeer 2020 (arXiv:2002.05202).
///
/// Tensors are named as Transformers names those of `T5EncoderModel`, `T5Model` and `T5ForConditionalGeneration`.
public enum T5: NetworkFamily {
  public static let name = "t5"
  public static let task = NetworkTask.text2TextGeneration

  /// Which part of the network there is.
  public enum Part: String, Codable, Sendable, Equatable {
    case encoder
    case encoderDecoder = "encoder-decoder"
    /// Encoder, decoder and the layer that gives logits.
    case generation
  }

  public struct Config: Codable, Sendable, Equatable {
    /// Rows of the embedding, which both sides share.
    public var vocabulary: Int
    /// Layers of the encoder, and of the decoder where `decoderLayers` doesn't say otherwise.
    public var layers: Int
    public var decoderLayers: Int?
    public var heads: Int
    /// Channels of a head, which need not be a share of a token's; default 64.
    public var headWidth: Int?
    /// Channels of a token.
    public var hiddenSize: Int
    /// Channels between the linear layers of a block.
    public var mlpSize: Int
    /// Whether blocks have a second linear layer, behind GELU, that the first is multiplied by; else ReLU. Default false.
    public var isGated: Bool?
    /// Whether logits come of the embedding instead of a layer of their own; default true.
    public var isTied: Bool?
    /// Buckets of the position bias; default 32.
    public var buckets: Int?
    /// Where distances fall into the last bucket; default 128.
    public var maximumDistance: Int?
    /// Of the normalisation; default 1e-6.
    public var epsilon: Float?
    /// Default: generation.
    public var part: Part?
  }

  public static func task(_ config: Config) -> NetworkTask {
    config.part ?? .generation == .generation ? .text2TextGeneration : .featureExtraction
  }

  public static func adapted(_ config: Config, to task: NetworkTask) -> Config? {
    self.task(config) == task ? config : nil
  }

  /// Outputs: the encoder's hidden states [rows, hiddenSize]; with a decoder the decoder's instead; for generation logits
  /// [decoder rows, vocabulary].
  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try check(config)
    let part = config.part ?? .generation
    var b = GraphBuilder()
    b.beginStage("embeddings")
    let words = b.ownParameter(
      "shared.weight", [config.vocabulary, config.hiddenSize], initial: .normal(deviation: 1))
    b.alias("encoder.embed_tokens.weight", to: "shared.weight")
    let encoded = b.scope("encoder") { b in
      stack(&b, b.embedding("embed_tokens", table: words), config, layers: config.layers, encoded: nil)
    }
    guard part != .encoder else { return b.finish(outputs: [encoded], givesClasses: false) }
    b.alias("decoder.embed_tokens.weight", to: "shared.weight")
    var x = b.scope("decoder") { b in
      let ids = b.decoderInput()
      let embedded = b.embedding("embed_tokens", of: ids, table: words)
      return stack(&b, embedded, config, layers: config.decoderLayers ?? config.layers, encoded: encoded)
    }
    guard part == .generation else { return b.finish(outputs: [x], givesClasses: false) }
    b.beginStage("head")
    guard config.isTied ?? true else {
      return b.finish(
        outputs: [b.linear("lm_head", x, from: config.hiddenSize, to: config.vocabulary, bias: false)],
        givesClasses: false)
    }
    b.alias("lm_head.weight", to: "shared.weight")
    // The embedding is drawn with unit variance; as a layer's weights it is to be smaller.
    x = b.scale(x, by: 1 / Float(config.hiddenSize).squareRoot())
    return b.finish(outputs: [b.tiedLinear("lm_head", x, weight: words)], givesClasses: false)
  }

  /// - Parameter encoded: what the encoder made, for a decoder; nil for the encoder itself.
  private static func stack(
    _ b: inout GraphBuilder, _ embedded: ValueID, _ config: Config, layers: Int, encoded: ValueID?
  ) -> ValueID {
    let attention = SequenceAttention(
      heads: config.heads, isCausal: encoded != nil,
      positions: RelativePositions(
        buckets: config.buckets ?? 32, maximumDistance: config.maximumDistance ?? 128,
        isBidirectional: encoded == nil))
    // Only the first layer has the table; the others use it too.
    let table = b.ownParameter(
      "block.0.layer.0.SelfAttention.relative_attention_bias.weight", [config.buckets ?? 32, config.heads],
      initial: .normal(deviation: 1 / Double(config.hiddenSize).squareRoot()))
    var x = b.dropout(embedded, probability: 0.1)
    for layer in 0..<layers {
      b.beginStage((encoded == nil ? "encoder" : "decoder") + "\(layer + 1)")
      x = b.scope("block.\(layer)") { b in
        var x = attend(&b, "layer.0", "SelfAttention", x, keys: nil, attention, config, table: table)
        if let encoded {
          let cross = SequenceAttention(heads: config.heads, isCross: true)
          x = attend(&b, "layer.1", "EncDecAttention", x, keys: encoded, cross, config, table: nil)
        }
        return feedForward(&b, encoded == nil ? "layer.1" : "layer.2", x, config)
      }
    }
    x = b.rootMeanSquareNorm("final_layer_norm", x, channels: config.hiddenSize, epsilon: config.epsilon ?? 1e-6)
    return b.dropout(x, probability: 0.1)
  }

  private static func attend(
    _ b: inout GraphBuilder, _ layer: String, _ module: String, _ x: ValueID, keys: ValueID?,
    _ attention: SequenceAttention, _ config: Config, table: ValueID?
  ) -> ValueID {
    let (width, inner) = (config.hiddenSize, config.heads * (config.headWidth ?? 64))
    return b.scope(layer) { b in
      let normal = b.rootMeanSquareNorm("layer_norm", x, channels: width, epsilon: config.epsilon ?? 1e-6)
      let y = b.scope(module) { b in
        // Products of queries and keys aren't scaled: the weights are.
        let query = b.linear(
          "q", normal, from: width, to: inner, bias: false,
          initial: .normal(deviation: 1 / Double(width * (config.headWidth ?? 64)).squareRoot()))
        let key = b.linear("k", keys ?? normal, from: width, to: inner, bias: false)
        let value = b.linear("v", keys ?? normal, from: width, to: inner, bias: false)
        let y = b.attention(attention, [query, key, value] + (table.map { [$0] } ?? []))
        return b.linear("o", y, from: inner, to: width, bias: false)
      }
      return b.sum(b.dropout(y, probability: 0.1), x)
    }
  }

  private static func feedForward(
    _ b: inout GraphBuilder, _ layer: String, _ x: ValueID, _ config: Config
  ) -> ValueID {
    let (width, inner) = (config.hiddenSize, config.mlpSize)
    return b.scope(layer) { b in
      let normal = b.rootMeanSquareNorm("layer_norm", x, channels: width, epsilon: config.epsilon ?? 1e-6)
      let y = b.scope("DenseReluDense") { b in
        var y: ValueID
        if config.isGated == true {
          y = b.activation(.geluTanh, b.linear("wi_0", normal, from: width, to: inner, bias: false), name: "gelu")
          y = b.product(y, b.linear("wi_1", normal, from: width, to: inner, bias: false))
        } else {
          y = b.relu(b.linear("wi", normal, from: width, to: inner, bias: false))
        }
        return b.linear("wo", b.dropout(y, probability: 0.1), from: inner, to: width, bias: false)
      }
      return b.sum(b.dropout(y, probability: 0.1), x)
    }
  }

  private static func check(_ config: Config) throws(FamilyError) {
    let check = ConfigCheck(family: name)
    try check.require(config.vocabulary, in: ConfigCheck.vocabulary, "vocabulary")
    try check.require(config.layers, in: ConfigCheck.blocks, "layers")
    try check.require(config.decoderLayers ?? 1, in: ConfigCheck.blocks, "decoderLayers")
    try check.require(config.heads, in: ConfigCheck.channels, "heads")
    try check.require(config.headWidth ?? 64, in: 1...1024, "headWidth")
    try check.require(config.hiddenSize, in: ConfigCheck.channels, "hiddenSize")
    try check.require(config.mlpSize, in: ConfigCheck.channels, "mlpSize")
    try check.require(config.buckets ?? 32, in: 4...1024, "buckets")
    try check.require(
      config.maximumDistance ?? 128, in: (config.buckets ?? 32)...1_000_000, "maximumDistance")
    try check.requireEpsilon(config.epsilon ?? 1e-6)
  }
}
