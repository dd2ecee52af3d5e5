import ZooCheckpoint

extension DownloadError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .badAddress(let url):
      ErrorReport(.usage, file: url, problem: "is no address of a file", advice: "expected https://host/path/file")
    case .failed(let url, let status, let problem):
      ErrorReport(.unavailable, file: url, problem: problem, advice: Self.advice(status))
    case .wrongDigest(let url, let sum, let published, let found):
      ErrorReport(
        .badData, file: url,
        problem: "\(sum) is \(found), published is \(published)\(published.count < found.count ? "…" : "")",
        advice: "what arrived was thrown away; try another mirror (ZOO_MIRROR), or again later")
    }
  }

  private static func advice(_ status: Int) -> String {
    switch status {
    case 401, 403: "the server wants a login; download the file yourself and name it"
    case 404, 410: "check the address"
    default: "try again: what has arrived is kept"
    }
  }
}
