import Foundation

extension FileError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .notFound(let file):
      ErrorReport(.noInput, file: file, problem: "no such file", advice: "check the path")
    case .isDirectory(let file):
      ErrorReport(.noInput, file: file, problem: "is a directory, expected a file", advice: "name a file inside it")
    case .notRegular(let file):
      ErrorReport(.noInput, file: file, problem: "is not a regular file", advice: "copy the data into a file first")
    case .severalNames(let file):
      ErrorReport(
        .noInput, file: file, problem: "has several names (hard links)", advice: "copy the data into a file first")
    case .empty(let file):
      ErrorReport(.badData, file: file, problem: "is empty (0 bytes)", advice: "download it again")
    case .outOfRange(let file, let offset, let count, let size):
      ErrorReport(
        .badData, file: file, place: "at byte \(offset)",
        problem: "needs \(count) bytes there, but the file has \(size) in all",
        advice: "the file is cut short; download it again")
    case .exists(let file):
      ErrorReport(
        .cannotCreate, file: file, problem: "exists already",
        advice: "use --force to replace it, or -o for another name")
    case .system(let file, let operation, let code):
      ErrorReport(
        operation == "create" && code != ENOSPC ? .cannotCreate : .inputOutput, file: file,
        problem: "\(operation): \(String(cString: strerror(code)).lowercased())",
        advice: code == ENOSPC ? "free some space on that disk" : nil)
    }
  }
}
