import ZooCheckpoint

/// Why the sandboxed parser gave no answer.
public enum WorkerError: Error, Sendable, Equatable {
  /// No program that can be a worker stands beside this one.
  case noProgram(file: String, searched: [String])
  case notStarted(file: String, code: Int32)
  /// The parser crashed, as C parsers do on files made to crash them.
  case crashed(file: String, signal: Int32)
  /// The parser asked the kernel for something that parsing never needs.
  case forbiddenCall(file: String)
  case timeLimit(file: String, seconds: Int)
  case noSandbox(file: String)
  case badReply(file: String, problem: String)
  /// The file contradicts its format.
  case refused(file: String, place: String, problem: String)
}

extension WorkerError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .noProgram(let file, let searched):
      ErrorReport(
        .unavailable, file: file, problem: "is parsed by the zoo program in a sandbox, which is not at \(searched)",
        advice: "install zoo beside this program or in the PATH")
    case .notStarted(let file, let code):
      ErrorReport(.unavailable, file: file, problem: "the sandboxed parser can't be started (error \(code))")
    case .crashed(let file, let signal):
      ErrorReport(
        .badData, file: file, problem: "the parser crashed on it in its sandbox (signal \(signal)); nothing was lost",
        advice: "the file is damaged or made to crash programs; don't trust its source")
    case .forbiddenCall(let file):
      ErrorReport(
        .badData, file: file,
        problem: "the parser asked for something beyond parsing while it read it, and was stopped in its sandbox",
        advice: "the file is made to attack programs; don't trust its source")
    case .timeLimit(let file, let seconds):
      ErrorReport(
        .badData, file: file, problem: "parsing took longer than \(seconds) s and was stopped",
        advice: "the file is damaged or made to stall programs; don't trust its source")
    case .noSandbox(let file):
      ErrorReport(
        .unavailable, file: file, problem: "the sandbox for its parser can't be set up; nothing was parsed",
        advice: "run where seccomp filters are allowed (Linux 3.17 or newer)")
    case .badReply(let file, let problem):
      ErrorReport(.badData, file: file, problem: "the sandboxed parser's answer \(problem)")
    case .refused(let file, let place, let problem):
      ErrorReport(.badData, file: file, place: place, problem: problem, advice: Self.advice(problem))
    }
  }

  private static func advice(_ problem: String) -> String {
    problem.contains("damaged")
      ? "the file is cut short or damaged; download it again"
      : "no weight file needs that; save it again with the program that made it"
  }
}
