/// The numbers that BERT and the encoders made after it have in common.
public struct TransformerConfig: Codable, Sendable, Equatable {
  /// Rows of the token embedding.
  public var vocabulary: Int
  public var layers: Int
  public var heads: Int
  /// Channels of a token.
  public var hiddenSize: Int
  /// Channels between the two linear layers of a block.
  public var mlpSize: Int
  /// Rows of the position embedding; default 512.
  public var positions: Int?
  /// Rows of the token type embedding; default 2.
  public var tokenTypes: Int?
  /// LayerNorm's; default 1e-12.
  public var epsilon: Float?
  /// What stands on the encoder; nil for nothing.
  public var head: TransformerHead?
  /// Whether the state dict has the layer that makes one vector of the first token; default: where the head reads it.
  public var pooler: Bool?

  public init(
    vocabulary: Int, layers: Int, heads: Int, hiddenSize: Int, mlpSize: Int, positions: Int? = nil,
    tokenTypes: Int? = nil, epsilon: Float? = nil, head: TransformerHead? = nil, pooler: Bool? = nil
  ) {
    self.vocabulary = vocabulary
    self.layers = layers
    self.heads = heads
    self.hiddenSize = hiddenSize
    self.mlpSize = mlpSize
    self.positions = positions
    self.tokenTypes = tokenTypes
    self.epsilon = epsilon
    self.head = head
    self.pooler = pooler
  }

  /// What the head makes of the text.
  public var task: NetworkTask {
    switch head {
    case nil: .featureExtraction
    case .maskedLanguageModel, .preTraining: .fillMask
    case .sequenceClassification: .textClassification
    case .tokenClassification: .tokenClassification
    case .causalLanguageModel: .textGeneration
    }
  }

  /// - Parameter heads: those that the family has.
  func check(_ family: String, heads known: [TransformerHead], classes: Int) throws(FamilyError) {
    let check = ConfigCheck(family: family)
    try check.require(vocabulary, in: ConfigCheck.vocabulary, "vocabulary")
    try check.require(layers, in: ConfigCheck.blocks, "layers")
    try check.require(hiddenSize, in: ConfigCheck.channels, "hiddenSize")
    try check.require(heads, in: 1...hiddenSize, "heads")
    try check.require(hiddenSize % heads == 0, "heads", found: heads, expected: "a divisor of hiddenSize \(hiddenSize)")
    try check.require(mlpSize, in: ConfigCheck.channels, "mlpSize")
    try check.require(positions ?? 512, in: ConfigCheck.vocabulary, "positions")
    try check.require(tokenTypes ?? 2, in: ConfigCheck.channels, "tokenTypes")
    try check.requireEpsilon(epsilon ?? 1e-12)
    if let head {
      try check.require(
        known.contains(head), "head", found: head.rawValue,
        expected: known.map(\.rawValue).joined(separator: ", "))
    }
    if task.hasClasses { try check.require(classes, in: ConfigCheck.classes, "classes") }
  }
}

/// What stands on an encoder or decoder, by the class of Transformers whose state dict has it.
public enum TransformerHead: String, Codable, Sendable, Equatable {
  /// `ForMaskedLM`
  case maskedLanguageModel = "masked-lm"
  /// `ForPreTraining`
  case preTraining = "pre-training"
  /// `ForSequenceClassification`
  case sequenceClassification = "sequence-classification"
  /// `ForTokenClassification`
  case tokenClassification = "token-classification"
  /// `LMHeadModel`
  case causalLanguageModel = "causal-lm"
}
