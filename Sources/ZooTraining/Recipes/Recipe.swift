import ZooVision

/// How a network is fine-tuned; saved with its result.
public struct Recipe: Codable, Sendable, Equatable {
  /// The ways of transfer learning.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// A new last layer on frozen features.
    case head
    /// New hidden layers and a new last one on frozen features.
    case mlp
    /// The last stages learn too.
    case lastN = "last-n"
    /// The head first, then stages from the top, at falling rates.
    case staged
    /// The pretrained weights are where everything begins.
    case full
    /// Attention's projections or 1×1 layers learn by changes of low rank.
    case lora
    /// Everything begins at random, for comparison and for a first network.
    case scratch
  }

  public enum Method: String, Codable, Sendable, CaseIterable {
    case sgd, adamw
  }

  public var kind: Kind
  /// Stages that learn besides the head, counted from the last: how many of `last-n`, how deep `staged` goes.
  public var unfreeze: Int
  public var epochs: Int
  /// Examples a batch.
  public var batchSize: Int
  /// The highest; it falls to zero along a cosine after a warm-up of a twentieth of the steps.
  public var learningRate: Double
  public var optimizer: Method
  /// Decoupled in AdamW, part of the gradient in SGD; not applied to biases and normalisations.
  public var weightDecay: Double
  /// The share of each target that is spread evenly over the classes (Szegedy et al., CVPR 2016).
  public var labelSmoothing: Double
  public var seed: UInt64
  /// Batches a step: their gradients are summed before the parameters move.
  public var accumulate = 1
  /// The gradient's Euclidean norm is brought down to this; nil leaves it.
  public var clip: Double?
  /// Decay of an exponential moving average of the weights, which then is what counts; nil keeps none.
  public var averaging: Double?
  /// The run ends after so many epochs without a better one; nil runs all.
  public var patience: Int?

  /// Units of the hidden layers of `mlp`, and the share of them that is dropped in training.
  public var hidden: [Int] = []
  public var dropout = 0.5
  /// Patterns of parameters' names (`layer4.*.weight`) that learn besides, and that don't whatever else says so.
  public var unfrozenNames: [String] = []
  public var frozenNames: [String] = []
  /// Whether BatchNorm normalises by each batch where its own parameters learn; nil: from random weights only. Where they
  /// are frozen its statistics always are.
  public var usesBatchStatistics: Bool?
  /// Whether rare classes count more: each by the number of examples over classes times its own.
  public var balancesClasses = false

  /// What is changed at random in training pictures.
  public var augmentation = Augmentation()
  /// So many changed views of each training picture go through the frozen part once, and each step takes one of them; 0
  /// changes pictures anew each time, which then go through all of the network.
  public var views = 0
  /// Parameters of the Beta distributions by whose shares examples are mixed; 0 mixes none.
  public var mixup = 0.0
  public var cutmix = 0.0

  /// Whether each step's pictures are made anew.
  var makesPicturesAnew: Bool { views == 0 && (!augmentation.isIdentity || cutmix > 0) }
  var mixing: Mixing { Mixing(mixup: mixup, cutmix: cutmix) }

  /// Of `lora`.
  public var lowRank: LowRank?
  /// Of networks that give each pixel a class: the shorter side that pictures are resized to, nil for the network's own.
  /// Squares of it are learnt from.
  public var pictureSize: Int?

  /// Epochs of the head alone, on frozen features, before stages learn too: Kumar et al., "Fine-tuning can distort
  /// pretrained features and underperform out-of-distribution", ICLR 2022. nil: none, of `staged` a third of all.
  public var headEpochs: Int?

  public static let defaultHeadEpochs = 30
  public static let defaultStagedDepth = 3
  public static let defaultHidden = [256]

  /// - Parameters:
  ///   - domain: what is learnt from; it chooses the values left out.
  ///   - kind: nil takes `last-n` where `unfreeze` is above 0, else `head`, or `full` where there is no new head.
  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  public init(
    _ domain: Domain = .pictures, kind: Kind? = nil, unfreeze: Int? = nil, epochs: Int? = nil, batchSize: Int? = nil,
    learningRate: Double? = nil, optimizer: Method = .adamw, weightDecay: Double? = nil, labelSmoothing: Double = 0,
    seed: UInt64 = 0
  ) throws(TrainingError) {
    let kind = kind ?? (unfreeze ?? 0 == 0 ? domain.usualKind : .lastN)
    let usual = domain.defaults(kind, optimizer)
    self.kind = kind
    self.unfreeze = unfreeze ?? (kind == .lastN ? 1 : kind == .staged ? Self.defaultStagedDepth : 0)
    self.epochs = epochs ?? usual.epochs
    self.batchSize = batchSize ?? usual.batchSize
    self.learningRate = learningRate ?? usual.learningRate
    self.optimizer = optimizer
    self.weightDecay = weightDecay ?? usual.weightDecay
    self.labelSmoothing = labelSmoothing
    self.seed = seed
    headEpochs = usual.headEpochs
    if kind == .mlp { hidden = Self.defaultHidden }
    if kind == .lora { lowRank = LowRank() }
    try check()
  }

  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  public func check() throws(TrainingError) {
    try Self.require(unfreeze >= 0, "--unfreeze", "\(unfreeze)", "0 or more")
    try Self.require((1...100_000).contains(epochs), "--epochs", "\(epochs)", "1 to 100000")
    try Self.require((1...4096).contains(batchSize), "--batch-size", "\(batchSize)", "1 to 4096")
    try Self.require(
      learningRate > 0 && learningRate <= 100, "--learning-rate", "\(learningRate)", "a number above 0, at most 100")
    try Self.require(
      weightDecay >= 0 && weightDecay <= 10, "--weight-decay", "\(weightDecay)", "a number from 0 to 10")
    try Self.require(
      labelSmoothing >= 0 && labelSmoothing < 1, "--label-smoothing", "\(labelSmoothing)", "a number from 0, below 1")
    try Self.require((1...4096).contains(accumulate), "--accumulate", "\(accumulate)", "1 to 4096")
    try Self.require(clip.map { $0 > 0 && $0.isFinite } ?? true, "--clip", "\(clip ?? 0)", "a number above 0")
    try Self.require(
      averaging.map { $0 > 0 && $0 < 1 } ?? true, "--average", "\(averaging ?? 0)", "a number between 0 and 1")
    try Self.require(
      hidden.allSatisfy { (1...65536).contains($0) } && hidden.count <= 16 && hidden.isEmpty == (kind != .mlp),
      "--hidden", hidden.map(String.init).joined(separator: ","), "1 to 16 sizes from 1 to 65536, with --recipe mlp")
    try Self.require(dropout >= 0 && dropout < 1, "--dropout", "\(dropout)", "a number from 0, below 1")
    try Self.require(
      (0...1000).contains(views) && (views == 0 || !augmentation.isIdentity), "--views", "\(views)",
      "1 to 1000, with --augment")
    try Self.require(mixup >= 0 && mixup <= 100, "--mixup", "\(mixup)", "a number from 0 to 100, such as 0.2")
    try Self.require(
      cutmix >= 0 && cutmix <= 100 && (cutmix == 0 || views == 0), "--cutmix", "\(cutmix)",
      "a number from 0 to 100, such as 1, and no --views")
    try Self.require(
      (0...100_000).contains(headEpochs ?? 0), "--head-epochs", "\(headEpochs ?? 0)", "0 to 100000")
    try Self.require(
      (lowRank == nil) == (kind != .lora), "--rank, --alpha, --lora-targets, --adapter", "with \(kind.rawValue)",
      "--recipe lora")
    if let lowRank {
      try Self.require((1...4096).contains(lowRank.rank), "--rank", "\(lowRank.rank)", "1 to 4096")
      try Self.require(
        lowRank.alpha > 0 && lowRank.alpha <= 1e6, "--alpha", "\(lowRank.alpha)",
        "a number above 0, such as twice the rank")
    }
    try Self.require(patience ?? 1 > 0, "--patience", "\(patience ?? 0)", "1 or more")
  }

  private static func require(
    _ holds: Bool, _ name: String, _ value: String, _ expected: String
  ) throws(TrainingError) {
    guard holds else { throw .badOption(name: name, value: value, expected: expected) }
  }
}
