/// What a run's epochs are judged by; the best epoch is the one with the best score.
public enum Metric: String, Sendable, CaseIterable {
  /// Of examples, the share whose class came first; of texts' tokens, the share that was told.
  case accuracy
  /// Over labels: the mean of their average precisions.
  case meanAveragePrecision
  /// Of numbers: the root of the mean squared error, the mean of several.
  case rootMeanSquaredError
  /// Of classes of pixels, the mean of intersection over union.
  case meanIoU

  /// For people; curves and columns are headed by it.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .meanAveragePrecision: "mAP"
    case .rootMeanSquaredError: "RMSE"
    case .meanIoU: "mean IoU"
    }
  }

  /// For a heading of its own.
  var title: String {
    switch self {
    case .accuracy: "Accuracy"
    case .meanAveragePrecision: "Mean average precision (mAP)"
    case .rootMeanSquaredError: "Root mean squared error (RMSE)"
    case .meanIoU: "Mean intersection over union (mIoU)"
    }
  }

  /// What `log.jsonl` calls it, behind `training` and `validation`.
  var key: String {
    switch self {
    case .accuracy: "Accuracy"
    case .meanAveragePrecision: "MeanAveragePrecision"
    case .rootMeanSquaredError: "RootMeanSquaredError"
    case .meanIoU: "MeanIoU"
    }
  }

  /// Whether it lies between 0 and 1 and is told in percent.
  public var isShare: Bool {
    switch self {
    case .accuracy, .meanAveragePrecision, .meanIoU: true
    case .rootMeanSquaredError: false
    }
  }

  /// Whether a higher score is the better one.
  var isHigherBetter: Bool {
    switch self {
    case .accuracy, .meanAveragePrecision, .meanIoU: true
    case .rootMeanSquaredError: false
    }
  }
}
