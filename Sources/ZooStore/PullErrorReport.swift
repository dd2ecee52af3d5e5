import ZooCheckpoint

extension PullError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .badFileName(let model, let file):
      ErrorReport(
        .badData, problem: "the catalogue's file of \(model) is '\(file)', expected a plain name",
        advice: "mend the model's JSON")
    case .changedMeanwhile(let file):
      ErrorReport(
        .badData, file: file, problem: "changed between the check of its digest and its conversion",
        advice: "see who else writes there, then pull again")
    }
  }
}
