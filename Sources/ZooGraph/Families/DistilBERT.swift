/// DistilBERT: BERT's encoder at half of its depth, without token types and pooler (Sanh et al. 2019, arXiv:1910.01108).
///
/// Tensors are named as Transformers names those of `DistilBertModel`, `DistilBertForMaskedLM` and so on.
public enum DistilBERT: NetworkFamily {
  public static let name = "distilbert"
  public static let task = NetworkTask.featureExtraction
  public typealias Config = TransformerConfig

  public static func task(_ config: Config) -> NetworkTask { config.task }

  /// Outputs: without a head the hidden states [rows, hiddenSize]; with one its logits, a row a token or a sequence.
  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try config.check(
      name, heads: [.maskedLanguageModel, .sequenceClassification, .tokenClassification], classes: classes)
    let path = config.head == nil ? "" : "distilbert."
    let width = config.hiddenSize
    var b = GraphBuilder()
    let words = b.ownParameter(path + "embeddings.word_embeddings.weight", [config.vocabulary, width], initial: .table)
    b.beginStage("embeddings")
    var x = embed(&b, config, path: path, words: words)
    for layer in 0..<config.layers {
      b.beginStage("layer\(layer + 1)")
      x = b.scope(path + "transformer.layer.\(layer)") { b in block(&b, x, config) }
    }
    b.beginStage("head")
    switch config.head {
    case .sequenceClassification:
      let first = b.linear("pre_classifier", b.select(.first, x), from: width, to: width)
      let hidden = b.dropout(b.relu(first), probability: 0.2)
      return b.finish(outputs: [b.linear("classifier", hidden, from: width, to: classes)])
    case .tokenClassification:
      return b.finish(outputs: [b.linear("classifier", b.dropout(x, probability: 0.1), from: width, to: classes)])
    case .maskedLanguageModel:
      let logits = EncoderLayers.predictTokens(
        &b, x, config, words: words, named: "distilbert.embeddings.word_embeddings.weight",
        EncoderLayers.PredictionNames(
          dense: "vocab_transform", norm: "vocab_layer_norm", bias: "vocab_projector.bias", decoder: "vocab_projector"))
      return b.finish(outputs: [logits], givesClasses: false)
    case nil, .preTraining, .causalLanguageModel: return b.finish(outputs: [x], givesClasses: false)
    }
  }

  private static func embed(
    _ b: inout GraphBuilder, _ config: Config, path: String, words: ValueID
  ) -> ValueID {
    b.scope(path + "embeddings") { b in
      let tokens = b.embedding("word_embeddings", table: words)
      let positions = b.embedding(
        "position_embeddings", .position(offset: 0), rows: config.positions ?? 512, width: config.hiddenSize)
      let x = b.layerNorm(
        "LayerNorm", b.sum(tokens, positions), channels: config.hiddenSize, epsilon: config.epsilon ?? 1e-12)
      return b.dropout(x, probability: 0.1)
    }
  }

  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ config: Config) -> ValueID {
    let (width, epsilon) = (config.hiddenSize, config.epsilon ?? 1e-12)
    let parts = ["q_lin", "k_lin", "v_lin"].map { b.linear("attention." + $0, x, from: width, to: width) }
    let scale = 1 / Float(width / config.heads).squareRoot()
    var y = b.attention(SequenceAttention(heads: config.heads, scale: scale), parts)
    y = b.linear("attention.out_lin", y, from: width, to: width)
    let attended = b.layerNorm("sa_layer_norm", b.sum(y, x), channels: width, epsilon: epsilon)
    y = b.activation(.gelu, b.linear("ffn.lin1", attended, from: width, to: config.mlpSize), name: "gelu")
    y = b.dropout(b.linear("ffn.lin2", y, from: config.mlpSize, to: width), probability: 0.1)
    return b.layerNorm("output_layer_norm", b.sum(y, attended), channels: width, epsilon: epsilon)
  }
}
