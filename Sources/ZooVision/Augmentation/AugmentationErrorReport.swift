import ZooCheckpoint

extension AugmentationError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unknown(let item):
      ErrorReport(
        .usage, problem: "--augment \(item): is none",
        advice: "choose from standard, crop, flip, rotate, jitter, randaugment, erase")
    case .badNumber(let item):
      ErrorReport(
        .usage, problem: "--augment \(item): the numbers don't fit", advice: "zoo finetune --help has examples")
    }
  }
}
