/// BERT: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019
/// (arXiv:1810.04805), section 3.
///
/// Tensors are named as Transformers names those of `BertModel`, `BertForMaskedLM` and so on.
public enum BERT: NetworkFamily {
  public static let name = "bert"
  public static let task = NetworkTask.featureExtraction
  public typealias Config = TransformerConfig

  public static func task(_ config: Config) -> NetworkTask { config.task }

  /// Outputs: without a head the hidden states [rows, hiddenSize], then, with the pooler, a vector [sequences,
  /// hiddenSize]; with one its logits, a row a token or a sequence.
  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try config.check(
      name, heads: [.maskedLanguageModel, .preTraining, .sequenceClassification, .tokenClassification],
      classes: classes)
    var b = GraphBuilder()
    let words = b.ownParameter(
      prefix(config) + "embeddings.word_embeddings.weight", [config.vocabulary, config.hiddenSize])
    let hidden = EncoderLayers.add(to: &b, config, prefix: config.head == nil ? nil : "bert", words: words)
    let pools = config.pooler ?? (config.head == nil || [.preTraining, .sequenceClassification].contains(config.head))
    b.beginStage("head")
    let pooled = pools ? pool(&b, hidden, config) : nil
    switch config.head {
    case .sequenceClassification:
      let x = b.dropout(pooled ?? b.select(.first, hidden), probability: 0.1)
      return b.finish(outputs: [b.linear("classifier", x, from: config.hiddenSize, to: classes)])
    case .tokenClassification:
      let x = b.dropout(hidden, probability: 0.1)
      return b.finish(outputs: [b.linear("classifier", x, from: config.hiddenSize, to: classes)])
    case .maskedLanguageModel, .preTraining:
      let logits = predict(&b, hidden, config, words: words)
      guard config.head == .preTraining, let pooled else { return b.finish(outputs: [logits], givesClasses: false) }
      let isNext = b.linear("cls.seq_relationship", pooled, from: config.hiddenSize, to: 2)
      return b.finish(outputs: [logits, isNext], givesClasses: false)
    case nil, .causalLanguageModel:
      return b.finish(outputs: [hidden] + (pooled.map { [$0] } ?? []), givesClasses: false)
    }
  }

  private static func prefix(_ config: Config) -> String { config.head == nil ? "" : "bert." }

  /// The first token's vector through a layer of its own.
  private static func pool(_ b: inout GraphBuilder, _ hidden: ValueID, _ config: Config) -> ValueID {
    let first = b.select(.first, hidden)
    let x = b.linear(prefix(config) + "pooler.dense", first, from: config.hiddenSize, to: config.hiddenSize)
    return b.activation(.tanh, x, name: "tanh")
  }

  private static func predict(
    _ b: inout GraphBuilder, _ hidden: ValueID, _ config: Config, words: ValueID
  ) -> ValueID {
    b.scope("cls.predictions") { b in
      let bias = b.ownParameter("bias", [config.vocabulary])
      var x = b.linear("transform.dense", hidden, from: config.hiddenSize, to: config.hiddenSize)
      x = b.activation(.gelu, x, name: "gelu")
      x = b.layerNorm("transform.LayerNorm", x, channels: config.hiddenSize, epsilon: config.epsilon ?? 1e-12)
      b.alias("decoder.weight", to: "bert.embeddings.word_embeddings.weight")
      b.alias("decoder.bias", to: "cls.predictions.bias")
      return b.tiedLinear("decoder", x, weight: words, bias: bias)
    }
  }
}
