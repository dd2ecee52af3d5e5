import ZooCheckpoint

extension PullError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .badFileName(let model, let file):
      ErrorReport(
        .badData, problem: "the catalogue's file of \(model) is '\(file)', expected a plain name",
        advice: "mend the model's JSON")
    case .noTokenizer(let files):
      ErrorReport(
        .badData, problem: "the catalogue's \(files.joined(separator: ", ")) are not all that a tokenizer needs",
        advice: "mend the model's JSON")
    case .insecure(let url):
      ErrorReport(
        .badData, file: url, problem: "is neither https nor has a digest in the catalogue to hold it to",
        advice: "mend the model's JSON")
    case .changedMeanwhile(let file):
      ErrorReport(
        .badData, file: file, problem: "changed between the check of its digest and its conversion",
        advice: "see who else writes there, then pull again")
    }
  }
}
