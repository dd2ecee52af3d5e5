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
    let prefix = config.head == nil ? nil : "bert"
    let path = prefix.map { $0 + "." } ?? ""
    var b = GraphBuilder()
    let words = b.ownParameter(
      path + "embeddings.word_embeddings.weight", [config.vocabulary, config.hiddenSize], initial: .table)
    let hidden = EncoderLayers.add(to: &b, config, prefix: prefix, words: words)
    let pools = config.pooler ?? (config.head == nil || [.preTraining, .sequenceClassification].contains(config.head))
    b.beginStage("head")
    let pooled = pools ? EncoderLayers.pool(&b, hidden, config, path: path) : nil
    switch config.head {
    case .sequenceClassification:
      let x = b.dropout(pooled ?? b.select(.first, hidden), probability: 0.1)
      return b.finish(outputs: [b.linear("classifier", x, from: config.hiddenSize, to: classes)])
    case .tokenClassification:
      let x = b.dropout(hidden, probability: 0.1)
      return b.finish(outputs: [b.linear("classifier", x, from: config.hiddenSize, to: classes)])
    case .maskedLanguageModel, .preTraining:
      let logits = EncoderLayers.predictTokens(
        &b, hidden, config, words: words, named: "bert.embeddings.word_embeddings.weight", predictions)
      guard config.head == .preTraining, let pooled else { return b.finish(outputs: [logits], givesClasses: false) }
      let isNext = b.linear("cls.seq_relationship", pooled, from: config.hiddenSize, to: 2)
      return b.finish(outputs: [logits, isNext], givesClasses: false)
    case nil, .causalLanguageModel:
      return b.finish(outputs: [hidden] + (pooled.map { [$0] } ?? []), givesClasses: false)
    }
  }

  private static let predictions = EncoderLayers.PredictionNames(
    dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm", bias: "cls.predictions.bias",
    decoder: "cls.predictions.decoder")
}
