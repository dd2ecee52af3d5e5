import ZooCheckpoint

extension FamilyError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unknown(let family, let known):
      ErrorReport(
        .badData, problem: "no network family is called '\(family)'",
        advice: "known are \(known.joined(separator: ", "))")
    case .unreadable(let family, let problem):
      ErrorReport(.badData, place: "\(family) configuration", problem: problem)
    case .badField(let family, let field, let found, let expected):
      ErrorReport(
        .badData, place: "\(family) configuration", problem: "\(field) is \(found), expected \(expected)")
    }
  }
}
