/// What one epoch of training gave; a line of `log.jsonl`, whose keys name the metric: `validationAccuracy`.
public struct EpochRecord: Sendable, Equatable {
  /// From 1.
  public var epoch: Int
  /// Mean over the training examples: cross-entropy in nats, or what else the task's loss is.
  public var trainingLoss: Double
  /// nil where the metric can't be taken from single batches.
  public var trainingScore: Double?
  public var validationLoss: Double
  public var validationScore: Double
  /// What the scores are.
  public var metric: Metric
  public var learningRate: Double

  public init(
    epoch: Int, trainingLoss: Double, trainingScore: Double?, validationLoss: Double, validationScore: Double,
    metric: Metric = .accuracy, learningRate: Double
  ) {
    self.epoch = epoch
    self.trainingLoss = trainingLoss
    self.trainingScore = trainingScore
    self.validationLoss = validationLoss
    self.validationScore = validationScore
    self.metric = metric
    self.learningRate = learningRate
  }

  /// Whether its weights are to be kept rather than those of the other: by the score, and by the loss where that is the same.
  func isBetter(than other: EpochRecord) -> Bool {
    let sign = metric.isHigherBetter ? 1.0 : -1
    return (other.validationScore * sign, -other.validationLoss) < (validationScore * sign, -validationLoss)
  }
}

extension EpochRecord: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static let (epochKey, rateKey) = (Key(stringValue: "epoch"), Key(stringValue: "learningRate"))
  private static let training = (loss: Key(stringValue: "trainingLoss"), score: "training")
  private static let validation = (loss: Key(stringValue: "validationLoss"), score: "validation")

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    guard
      let metric = Metric.allCases.first(where: {
        values.contains(Key(stringValue: Self.validation.score + $0.key))
      })
    else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "names no metric"))
    }
    try self.init(
      epoch: values.decode(Int.self, forKey: Self.epochKey),
      trainingLoss: values.decode(Double.self, forKey: Self.training.loss),
      trainingScore: values.decodeIfPresent(Double.self, forKey: Key(stringValue: Self.training.score + metric.key)),
      validationLoss: values.decode(Double.self, forKey: Self.validation.loss),
      validationScore: values.decode(Double.self, forKey: Key(stringValue: Self.validation.score + metric.key)),
      metric: metric, learningRate: values.decode(Double.self, forKey: Self.rateKey))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(epoch, forKey: Self.epochKey)
    try values.encode(trainingLoss, forKey: Self.training.loss)
    try values.encodeIfPresent(trainingScore, forKey: Key(stringValue: Self.training.score + metric.key))
    try values.encode(validationLoss, forKey: Self.validation.loss)
    try values.encode(validationScore, forKey: Key(stringValue: Self.validation.score + metric.key))
    try values.encode(learningRate, forKey: Self.rateKey)
  }
}
