import ZooCheckpoint

extension ConversionError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .outputIsInput(let file):
      ErrorReport(
        .cannotCreate, file: file, problem: "is the file to be converted", advice: "give another name with -o")
    case .doesNotFit(let file, let fit):
      ErrorReport(
        .badData, file: file,
        problem: "does not fit \(fit.model): \(fit.summary)",
        advice: "without --model it converts under its own names")
    case .noHead(let file, let model):
      ErrorReport(
        .usage, file: file,
        problem: model.map { "\($0) has no linear layer at its end to drop" }
          ?? "is no known model, so that which layer is its head is not known",
        advice: "leave out --head drop")
    case .keptNameTaken(let file, let name):
      ErrorReport(
        .badData, file: file, place: name, problem: "is a weight's name and that of something beside the weights",
        advice: "convert without --keep")
    }
  }
}
