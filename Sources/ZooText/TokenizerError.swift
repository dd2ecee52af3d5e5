import ZooCheckpoint

/// What is wrong with a tokenizer's files, or with what was asked of it.
public enum TokenizerError: Error, Sendable, Equatable {
  /// Text that is not JSON, or not UTF-8.
  case malformed(file: String, offset: Int, problem: String)
  /// JSON that lacks what a tokenizer needs.
  case missing(file: String, field: String, expected: String)
  /// A part of a tokenizer that isn't known here.
  case unsupported(file: String, part: String, found: String, known: [String])
  /// More bytes than any tokenizer has.
  case tooLarge(file: String, size: Int, limit: Int)
  /// A merge of pieces that are not in the vocabulary.
  case badMerge(file: String, line: Int, merge: String)
  /// An id that is no token's.
  case unknownID(id: Int, size: Int)
}

extension TokenizerError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .malformed(let file, let offset, let problem):
      ErrorReport(.badData, file: file, place: "at byte \(offset)", problem: problem)
    case .missing(let file, let field, let expected):
      ErrorReport(.badData, file: file, place: field, problem: "missing or of another type, expected \(expected)")
    case .unsupported(let file, let part, let found, let known):
      ErrorReport(
        .badData, file: file, place: part, problem: "'\(found)' is not supported",
        advice: "known are " + known.joined(separator: ", "))
    case .tooLarge(let file, let size, let limit):
      ErrorReport(.badData, file: file, problem: "the tokenizer's files have \(size) bytes, at most \(limit) are read")
    case .badMerge(let file, let line, let merge):
      ErrorReport(
        .badData, file: file, place: "merge \(line)",
        problem: "'\(merge)' is not two pieces that make a third of the vocabulary")
    case .unknownID(let id, let size):
      ErrorReport(.usage, problem: "\(id) is no token's id; expected 0 to \(size - 1)")
    }
  }
}
