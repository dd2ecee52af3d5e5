/// What a run's epochs are judged by; the best epoch is the one with the best score.
public enum Metric: String, Sendable, CaseIterable {
  /// Of examples, the share whose class came first; of texts' tokens, the share that was told.
  case accuracy

  /// For people; curves and columns are headed by it.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    }
  }

  /// What `log.jsonl` calls it, behind `training` and `validation`.
  var key: String {
    switch self {
    case .accuracy: "Accuracy"
    }
  }

  /// Whether it lies between 0 and 1 and is told in percent.
  public var isShare: Bool {
    switch self {
    case .accuracy: true
    }
  }

  /// Whether a higher score is the better one.
  var isHigherBetter: Bool {
    switch self {
    case .accuracy: true
    }
  }
}
