/// GPT-2: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
///
/// Tensors are named as Transformers names those of `GPT2Model` (without a head), `GPT2LMHeadModel` and
/// `GPT2ForSequenceClassification`; weights of its `Conv1D` are [inputs, outputs].
public enum GPT2: NetworkFamily {
  public static let name = "gpt2"
  public static let task = NetworkTask.textGeneration
  public typealias Config = TransformerConfig

  public static func task(_ config: Config) -> NetworkTask { config.task }

  /// Outputs: hidden states [rows, hiddenSize]; logits [rows, vocabulary], or [sequences, classes] of the last token.
  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    var config = config
    config.epsilon = config.epsilon ?? 1e-5
    config.positions = config.positions ?? 1024
    try config.check(name, heads: [.causalLanguageModel, .sequenceClassification], classes: classes)
    let path = config.head == nil ? "" : "transformer."
    let width = config.hiddenSize
    var b = GraphBuilder()
    b.beginStage("embeddings")
    let words = b.ownParameter(path + "wte.weight", [config.vocabulary, width], initial: .table)
    let positions = b.embedding(path + "wpe", .position(offset: 0), rows: config.positions ?? 1024, width: width)
    var x = b.dropout(b.sum(b.embedding(path + "wte", table: words), positions), probability: 0.1)
    for layer in 0..<config.layers {
      b.beginStage("layer\(layer + 1)")
      x = b.scope(path + "h.\(layer)") { b in block(&b, x, config) }
    }
    b.beginStage("head")
    x = b.layerNorm(path + "ln_f", x, channels: width, epsilon: config.epsilon ?? 1e-5)
    switch config.head {
    case .causalLanguageModel:
      b.alias("lm_head.weight", to: "transformer.wte.weight")
      return b.finish(outputs: [b.tiedLinear("lm_head", x, weight: words)], givesClasses: false)
    case .sequenceClassification:
      return b.finish(outputs: [b.linear("score", b.select(.last, x), from: width, to: classes, bias: false)])
    default: return b.finish(outputs: [x], givesClasses: false)
    }
  }

  /// Attention, then a pair of linear layers, both behind a LayerNorm and both summed with what they read.
  private static func block(_ b: inout GraphBuilder, _ x: ValueID, _ config: Config) -> ValueID {
    let (width, epsilon) = (config.hiddenSize, config.epsilon ?? 1e-5)
    var y = b.layerNorm("ln_1", x, channels: width, epsilon: epsilon)
    let fused = b.transposedLinear("attn.c_attn", y, from: width, to: 3 * width)
    let parts = (0..<3).map { b.columns($0 * width..<($0 + 1) * width, of: fused, name: "attn.split") }
    let scale = 1 / Float(width / config.heads).squareRoot()
    y = b.attention(SequenceAttention(heads: config.heads, scale: scale, isCausal: true), parts)
    y = b.dropout(b.transposedLinear("attn.c_proj", y, from: width, to: width), probability: 0.1)
    let attended = b.sum(y, x)
    y = b.layerNorm("ln_2", attended, channels: width, epsilon: epsilon)
    y = b.activation(.geluTanh, b.transposedLinear("mlp.c_fc", y, from: width, to: config.mlpSize), name: "gelu")
    y = b.dropout(b.transposedLinear("mlp.c_proj", y, from: config.mlpSize, to: width), probability: 0.1)
    return b.sum(y, attended)
  }
}
