/// What one epoch of training gave; a line of `log.jsonl`.
public struct EpochRecord: Codable, Sendable, Equatable {
  /// From 1.
  public var epoch: Int
  /// Mean cross-entropy over the training pictures, in nats.
  public var trainingLoss: Double
  public var trainingAccuracy: Double
  public var validationLoss: Double
  /// Top-1, from 0 to 1.
  public var validationAccuracy: Double
  public var learningRate: Double

  public init(
    epoch: Int, trainingLoss: Double, trainingAccuracy: Double, validationLoss: Double, validationAccuracy: Double,
    learningRate: Double
  ) {
    self.epoch = epoch
    self.trainingLoss = trainingLoss
    self.trainingAccuracy = trainingAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.learningRate = learningRate
  }
}
