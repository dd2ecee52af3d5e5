import ZooCheckpoint

/// Why a file could not be fetched.
public enum DownloadError: Error, Sendable, Equatable {
  /// No `http` or `https` address of a file.
  case badAddress(url: String)
  /// `status` is HTTP's, 0 where no answer came.
  case failed(url: String, status: Int, problem: String)
}

extension DownloadError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .badAddress(let url):
      ErrorReport(.usage, file: url, problem: "is no address of a file", advice: "expected https://host/path/file")
    case .failed(let url, let status, let problem):
      ErrorReport(.unavailable, file: url, problem: problem, advice: Self.advice(status))
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
