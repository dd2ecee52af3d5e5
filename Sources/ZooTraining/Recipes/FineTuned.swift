/// What fine-tuning gave and where it is.
public struct FineTuned: Sendable {
  public let folder: RunFolder
  /// The checkpoint, or the adapter where it is kept apart.
  public let checkpoint: String
  public let parameters: ParameterCount
  public let checkpointDigest: String
  /// What was learnt from: `pictures`, `texts`.
  public let examples: String
  public let epochs: [EpochRecord]
  /// From 1.
  public let bestEpoch: Int
  public let findings: any Findings
  public var skipped: [SkippedPicture] = []
  /// Pictures whose features were on disk already.
  public var cached = 0
  /// Parameters that started from nothing.
  public let newlyInitialised: [String]

  /// The record of the epoch whose weights were kept.
  public var best: EpochRecord? { epochs.first { $0.epoch == bestEpoch } }
  /// Without labels where an example doesn't belong to one class.
  public var confusion: ConfusionMatrix { (findings as? JudgedExamples)?.confusion ?? ConfusionMatrix(labels: []) }
  /// The best epoch's, by its own metric: the accuracy of the validation's examples, or of their tokens.
  public var score: Double { best?.validationScore ?? 0 }
}
