/// What fine-tuning gave and where it is.
public struct FineTuned: Sendable {
  public let folder: RunFolder
  public let checkpointDigest: String
  /// What was learnt from: `pictures`, `texts`.
  public let examples: String
  public let epochs: [EpochRecord]
  /// From 1.
  public let bestEpoch: Int
  /// Without labels where examples have no classes.
  public let confusion: ConfusionMatrix
  public var skipped: [SkippedPicture] = []
  /// Pictures whose features were on disk already.
  public var cached = 0
  /// Parameters that started from nothing.
  public let newlyInitialised: [String]

  /// The record of the epoch whose weights were kept.
  public var best: EpochRecord? { epochs.first { $0.epoch == bestEpoch } }
  public var hasClasses: Bool { !confusion.labels.isEmpty }
  /// Of the validation's examples, or of their tokens where they have no classes.
  public var accuracy: Double { hasClasses ? confusion.accuracy : best?.validationAccuracy ?? 0 }
}
