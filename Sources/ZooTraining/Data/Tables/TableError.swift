import ZooCheckpoint

/// Why a table can't be read.
public enum TableError: Error, Sendable, Equatable {
  case unknownKind(file: String)
  case notUTF8(file: String, offset: Int)
  case noRecords(file: String)
  case repeatedColumn(file: String, line: Int, column: String)
  case fieldCount(file: String, line: Int, expected: Int, found: Int)
  case openQuote(file: String, line: Int)
  case textBehindQuote(file: String, line: Int)
  case notJSON(file: String, line: Int)
  case noColumn(file: String, column: String, found: [String])
  case noField(file: String, line: Int, column: String)
}

extension TableError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unknownKind(let file):
      ErrorReport(
        .badData, file: file, problem: "is no table whose kind is known",
        advice: "name it .csv, .tsv or .jsonl, after what it holds")
    case .notUTF8(let file, let offset):
      ErrorReport(
        .badData, file: file, place: "byte \(offset)", problem: "is not UTF-8", advice: "save the file as UTF-8")
    case .noRecords(let file):
      ErrorReport(
        .badData, file: file, problem: "holds no records", advice: "a first line names the columns, others follow")
    case .repeatedColumn(let file, let line, let column):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "names the column '\(column)' twice",
        advice: "give each column a name of its own")
    case .fieldCount(let file, let line, let expected, let found):
      ErrorReport(
        .badData, file: file, place: "line \(line)",
        problem: "has \(found) \(found == 1 ? "field" : "fields") where the first line names \(expected)",
        advice: "put fields that hold commas or line ends into double quotes")
    case .openQuote(let file, let line):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "opens a quote that is never closed",
        advice: "close it, and double quotes within quoted fields")
    case .textBehindQuote(let file, let line):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "has text behind a closing quote",
        advice: "double quotes within quoted fields")
    case .notJSON(let file, let line):
      ErrorReport(
        .badData, file: file, place: "line \(line)", problem: "is not a JSON object",
        advice: "every line is an object of its own, such as {\"text\": \"…\", \"label\": \"…\"}")
    case .noColumn(let file, let column, let found):
      ErrorReport(
        .badData, file: file, problem: "has no column '\(column)', but \(found.joined(separator: ", "))",
        advice: "name the column with --text-column, --label-column or --targets, or in the file")
    case .noField(let file, let line, let column):
      ErrorReport(.badData, file: file, place: "line \(line)", problem: "has no '\(column)'", advice: "add it")
    }
  }
}
