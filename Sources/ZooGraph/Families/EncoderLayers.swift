/// The encoder that BERT and RoBERTa have in common, with Transformers' names for its tensors.
enum EncoderLayers {
  /// Embeddings and layers, a stage each; gives the hidden states [rows, hiddenSize].
  ///
  /// - Parameters:
  ///   - prefix: what the tensors' names begin with; nil for nothing.
  ///   - words: the token embedding's table.
  ///   - firstPosition: the row of the position embedding that the first token has.
  static func add(
    to b: inout GraphBuilder, _ config: TransformerConfig, prefix: String?, words: ValueID, firstPosition: Int = 0
  ) -> ValueID {
    func body(_ b: inout GraphBuilder) -> ValueID {
      b.beginStage("embeddings")
      var x = b.scope("embeddings") { b in embed(&b, config, words: words, firstPosition: firstPosition) }
      for layer in 0..<config.layers {
        b.beginStage("layer\(layer + 1)")
        x = b.scope("encoder.layer.\(layer)") { b in block(&b, x, config) }
      }
      return x
    }
    return prefix.map { b.scope($0, body) } ?? body(&b)
  }

  private static func embed(
    _ b: inout GraphBuilder, _ config: TransformerConfig, words: ValueID, firstPosition: Int
  ) -> ValueID {
    let width = config.hiddenSize
    let tokens = b.embedding("word_embeddings", table: words)
    let types = b.embedding("token_type_embeddings", .tokenType, rows: config.tokenTypes ?? 2, width: width)
    let positions = b.embedding(
      "position_embeddings", .position(offset: firstPosition), rows: config.positions ?? 512, width: width)
    let x = b.layerNorm(
      "LayerNorm", b.sum(b.sum(tokens, types), positions), channels: width, epsilon: config.epsilon ?? 1e-12)
    return b.dropout(x, probability: 0.1)
  }

  /// Attention, then a pair of linear layers, each followed by the sum with what it read and a LayerNorm.
  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ config: TransformerConfig) -> ValueID {
    let (width, epsilon) = (config.hiddenSize, config.epsilon ?? 1e-12)
    var y = b.scope("attention.self") { b in
      let parts = ["query", "key", "value"].map { b.linear($0, x, from: width, to: width) }
      let scale = 1 / Float(width / config.heads).squareRoot()
      return b.attention(SequenceAttention(heads: config.heads, scale: scale), parts)
    }
    y = b.dropout(b.linear("attention.output.dense", y, from: width, to: width), probability: 0.1)
    let attended = b.layerNorm("attention.output.LayerNorm", b.sum(y, x), channels: width, epsilon: epsilon)
    y = b.activation(.gelu, b.linear("intermediate.dense", attended, from: width, to: config.mlpSize), name: "gelu")
    y = b.dropout(b.linear("output.dense", y, from: config.mlpSize, to: width), probability: 0.1)
    return b.layerNorm("output.LayerNorm", b.sum(y, attended), channels: width, epsilon: epsilon)
  }

  /// The first token's vector through a layer of its own, `pooler.dense`, and tanh: [sequences, hiddenSize].
  static func pool(_ b: inout GraphBuilder, _ hidden: ValueID, _ config: TransformerConfig, path: String) -> ValueID {
    let width = config.hiddenSize
    let x = b.linear(path + "pooler.dense", b.select(.first, hidden), from: width, to: width)
    return b.activation(.tanh, x, name: "tanh")
  }

  /// Names of the modules that make logits of hidden states.
  struct PredictionNames {
    var dense: String
    var norm: String
    var bias: String
    var decoder: String
  }

  /// A layer, GELU and LayerNorm, then the token embedding as weights: logits [rows, vocabulary].
  ///
  /// - Parameter wordsName: the whole name of the token embedding's table `words`.
  static func predictTokens(
    _ b: inout GraphBuilder, _ hidden: ValueID, _ config: TransformerConfig, words: ValueID, named wordsName: String,
    _ names: PredictionNames
  ) -> ValueID {
    let width = config.hiddenSize
    let bias = b.ownParameter(names.bias, [config.vocabulary])
    var x = b.activation(.gelu, b.linear(names.dense, hidden, from: width, to: width), name: "gelu")
    x = b.layerNorm(names.norm, x, channels: width, epsilon: config.epsilon ?? 1e-12)
    b.alias(names.decoder + ".weight", to: wordsName)
    let decoderBias = names.decoder + ".bias"
    if decoderBias != names.bias { b.alias(decoderBias, to: names.bias) }
    return b.tiedLinear(names.decoder, x, weight: words, bias: bias)
  }
}
