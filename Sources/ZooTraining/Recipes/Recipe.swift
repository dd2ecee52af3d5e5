/// How a network is fine-tuned; saved with its result.
public struct Recipe: Codable, Sendable, Equatable {
  public enum Method: String, Codable, Sendable, CaseIterable {
    case sgd, adamw
  }

  /// Stages that learn besides the head, counted from the last.
  public var unfreeze: Int
  public var epochs: Int
  /// Pictures a step.
  public var batchSize: Int
  /// The highest; it falls to zero along a cosine after a warm-up of a twentieth of the steps.
  public var learningRate: Double
  public var optimizer: Method
  /// Decoupled in AdamW, part of the gradient in SGD; not applied to biases and BatchNorm.
  public var weightDecay: Double
  /// The share of each target that is spread evenly over the classes (Szegedy et al., CVPR 2016).
  public var labelSmoothing: Double
  public var seed: UInt64
  /// Whether everything begins at random, for comparison and for a first network.
  public var fromScratch: Bool

  /// Values left out are chosen for small data: a head alone learns in many cheap epochs over standardised features,
  /// stages with convolutions in few careful ones.
  ///
  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  public init(
    unfreeze: Int = 0, epochs: Int? = nil, batchSize: Int? = nil, learningRate: Double? = nil,
    optimizer: Method = .adamw, weightDecay: Double? = nil, labelSmoothing: Double = 0,
    seed: UInt64 = 0, fromScratch: Bool = false
  ) throws(TrainingError) {
    let isHead = unfreeze == 0
    self.unfreeze = unfreeze
    self.epochs = epochs ?? (isHead ? 60 : 12)
    self.batchSize = batchSize ?? (isHead ? 32 : 16)
    self.learningRate = learningRate ?? (optimizer == .adamw ? (isHead ? 3e-3 : 1e-3) : (isHead ? 3e-2 : 1e-2))
    self.optimizer = optimizer
    self.weightDecay = weightDecay ?? (optimizer == .adamw ? 5e-2 : 1e-3)
    self.labelSmoothing = labelSmoothing
    self.seed = seed
    self.fromScratch = fromScratch
    try Self.require(unfreeze >= 0, "--unfreeze", "\(unfreeze)", "0 or more")
    try Self.require((1...100_000).contains(self.epochs), "--epochs", "\(self.epochs)", "1 to 100000")
    try Self.require((1...4096).contains(self.batchSize), "--batch-size", "\(self.batchSize)", "1 to 4096")
    let rate = self.learningRate
    try Self.require(rate > 0 && rate <= 100, "--learning-rate", "\(rate)", "a number above 0, at most 100")
    let decay = self.weightDecay
    try Self.require(decay >= 0 && decay <= 10, "--weight-decay", "\(decay)", "a number from 0 to 10")
    try Self.require(
      labelSmoothing >= 0 && labelSmoothing < 1, "--label-smoothing", "\(labelSmoothing)", "a number from 0, below 1")
  }

  private static func require(
    _ holds: Bool, _ name: String, _ value: String, _ expected: String
  ) throws(TrainingError) {
    guard holds else { throw .badOption(name: name, value: value, expected: expected) }
  }
}
