/// What fine-tuning gave and where it is.
public struct FineTuned: Sendable {
  public let folder: RunFolder
  public let checkpointDigest: String
  public let epochs: [EpochRecord]
  /// From 1.
  public let bestEpoch: Int
  public let confusion: ConfusionMatrix
  public let skipped: [SkippedPicture]
  /// Pictures whose features were on disk already.
  public let cached: Int
  /// Parameters that started from nothing: the head's.
  public let newlyInitialised: [String]

  public var accuracy: Double { confusion.accuracy }
}
