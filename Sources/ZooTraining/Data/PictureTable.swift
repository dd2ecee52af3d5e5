import Foundation
import ZooCheckpoint

/// Pictures that a table lists with what is to be said of them: a CSV or TSV file, JSON lines, or the `metadata.jsonl`
/// (or `.csv`) of a Hugging Face imagefolder.
struct PictureTable {
  /// Usual names of the columns, the first that the table has.
  static let pathColumns = ["path", "file_name", "file", "image"]

  struct Row {
    let path: String
    /// As the table has it.
    let name: String
    let content: Content
    let line: Int
    let part: Part?
  }

  /// What a row says of its picture.
  enum Content: Equatable {
    /// Names of labels; of classes exactly one.
    case names([String])
    case values([Double])
  }

  enum Part: Sendable {
    case training, validation
    /// Kept for a test of the user's own.
    case neither
  }

  let path: String
  let rows: [Row]
  let reading: PictureColumns.Reading
  /// Why it is read so, where nobody asked for it.
  let reason: String?

  /// - Parameter path: of the table; pictures' paths are relative to its folder.
  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  init(path: String, columns: PictureColumns = PictureColumns()) throws {
    let table = try Table(path: path)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let names = try table.values(of: table.column(among: Self.pathColumns))
    (reading, reason) = try columns.reading(of: table)
    let contents = try Self.contents(of: table, reading)
    let parts = try table.columns.contains("split") ? table.values(of: "split") : nil
    self.path = path
    var rows: [Row] = []
    for (index, record) in table.records.enumerated() {
      let name = names[index]
      rows.append(
        Row(
          path: name.hasPrefix("/") ? name : folder + "/" + name, name: name, content: contents[index],
          line: record.line, part: try parts.map { try Self.part($0[index], file: path, line: record.line) }))
    }
    self.rows = rows
  }

  /// - Throws: ``TableError``, ``DataError/notNumber(file:line:column:value:expected:)``.
  private static func contents(of table: Table, _ reading: PictureColumns.Reading) throws -> [Content] {
    switch reading {
    case .oneName(let column): return try table.values(of: column).map { .names([$0]) }
    case .severalNames(let column):
      return try table.lists(of: column, separator: PictureColumns.separator).map { .names($0) }
    case .truths(let columns):
      return try rows(of: table, columns, expected: "0 or 1", PictureColumns.truth).map { row in
        .names(zip(columns, row).filter(\.1).map(\.0))
      }
    case .numbers(let columns):
      return try rows(of: table, columns, expected: "a number", PictureColumns.number).map { .values($0) }
    }
  }

  private static func rows<Value>(
    of table: Table, _ columns: [String], expected: String, _ parse: (String) -> Value?
  ) throws -> [[Value]] {
    let fields = try columns.map { try table.values(of: $0) }
    return try table.records.enumerated().map { index, record in
      try zip(columns, fields).map { column, values in
        guard let value = parse(values[index]) else {
          throw DataError.notNumber(
            file: table.path, line: record.line, column: column, value: values[index], expected: expected)
        }
        return value
      }
    }
  }

  static func part(_ text: String, file: String, line: Int) throws(DataError) -> Part {
    switch text.lowercased() {
    case "train", "training": .training
    case "val", "valid", "validation", "dev": .validation
    case "test": .neither
    default: throw .unknownPart(file: file, line: line, part: text)
    }
  }

  /// The table of an imagefolder; nil where there is none.
  static func metadata(in folder: String) -> String? {
    ["metadata.jsonl", "metadata.csv"].map { "\(folder)/\($0)" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }

  /// Names of the classes or labels, or of the columns of numbers or truths.
  var labels: [String] {
    switch reading {
    case .numbers(let columns), .truths(let columns): columns
    case .oneName, .severalNames:
      Set(rows.flatMap { if case .names(let names) = $0.content { names } else { [String]() } }).sortedAsLabels
    }
  }

  /// - Parameter isIncluded: which rows are taken.
  /// - Throws: ``DataError/unknownClass(folder:name:known:)``.
  func examples(prefix: String = "", labels: [String], where isIncluded: (Row) -> Bool = { _ in true })
    throws(DataError)
    -> [Example]
  {
    let places = Dictionary(labels.enumerated().map { ($1, $0) }) { first, _ in first }
    var examples: [Example] = []
    for row in rows where isIncluded(row) {
      let target: Example.Target
      switch row.content {
      case .values(let values): target = .values(values)
      case .names(let names):
        var found: [Int] = []
        for name in names {
          guard let label = places[name] else {
            throw .unknownClass(folder: "\(path):\(row.line)", name: name, known: labels)
          }
          found.append(label)
        }
        target = reading.problem == .classes ? .label(found[0]) : .labels(Set(found).sorted())
      }
      examples.append(
        Example(
          path: row.path, name: prefix + row.name, target: target,
          digest: try? Digest.sha256(of: MappedFile(path: row.path))))
    }
    return examples
  }
}
