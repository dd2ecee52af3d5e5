/// What a run tells while it goes on.
public enum TrainingEvent: Sendable {
  /// Pictures that have gone through the frozen part.
  case features(done: Int, total: Int)
  case step(epoch: Int, done: Int, total: Int)
  case epoch(EpochRecord, isBest: Bool)
}
