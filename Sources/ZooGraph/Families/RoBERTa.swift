/// RoBERTa and XLM-RoBERTa: BERT's encoder, trained otherwise (Liu et al. 2019, arXiv:1907.11692; Conneau et al. 2020,
/// arXiv:1911.02116).
///
/// Tensors are named as Transformers names those of `RobertaModel`, `RobertaForMaskedLM` and so on, which
/// `XLMRobertaModel` and its kin share.
public enum RoBERTa: NetworkFamily {
  public static let name = "roberta"
  public static let task = NetworkTask.featureExtraction
  public typealias Config = TransformerConfig

  public static func task(_ config: Config) -> NetworkTask { config.task }

  /// Positions count from behind the padding token, whose id is 1.
  private static let firstPosition = 2

  /// Outputs as ``BERT``'s.
  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    var config = config
    config.epsilon = config.epsilon ?? 1e-5
    config.positions = config.positions ?? 514
    config.tokenTypes = config.tokenTypes ?? 1
    try config.check(
      name, heads: [.maskedLanguageModel, .sequenceClassification, .tokenClassification], classes: classes)
    let prefix = config.head == nil ? nil : "roberta"
    let path = prefix.map { $0 + "." } ?? ""
    let width = config.hiddenSize
    var b = GraphBuilder()
    let words = b.ownParameter(path + "embeddings.word_embeddings.weight", [config.vocabulary, width], initial: .table)
    let hidden = EncoderLayers.add(
      to: &b, config, prefix: prefix, words: words, firstPosition: firstPosition)
    b.beginStage("head")
    let pools = config.pooler ?? (config.head == nil)
    let pooled = pools ? EncoderLayers.pool(&b, hidden, config, path: path) : nil
    switch config.head {
    case .sequenceClassification:
      let first = b.dropout(b.select(.first, hidden), probability: 0.1)
      let x = b.activation(.tanh, b.linear("classifier.dense", first, from: width, to: width), name: "tanh")
      let logits = b.linear("classifier.out_proj", b.dropout(x, probability: 0.1), from: width, to: classes)
      return b.finish(outputs: [logits])
    case .tokenClassification:
      let x = b.dropout(hidden, probability: 0.1)
      return b.finish(outputs: [b.linear("classifier", x, from: width, to: classes)])
    case .maskedLanguageModel:
      let logits = EncoderLayers.predictTokens(
        &b, hidden, config, words: words, named: "roberta.embeddings.word_embeddings.weight", predictions)
      return b.finish(outputs: [logits], givesClasses: false)
    case nil, .preTraining, .causalLanguageModel:
      return b.finish(outputs: [hidden] + (pooled.map { [$0] } ?? []), givesClasses: false)
    }
  }

  private static let predictions = EncoderLayers.PredictionNames(
    dense: "lm_head.dense", norm: "lm_head.layer_norm", bias: "lm_head.bias", decoder: "lm_head.decoder")
}
