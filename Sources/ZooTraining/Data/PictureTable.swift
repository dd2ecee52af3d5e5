import Foundation
import ZooCheckpoint

/// Pictures that a table lists with their classes: a CSV or TSV file, JSON lines, or the `metadata.jsonl` (or `.csv`) of
/// a Hugging Face imagefolder.
struct PictureTable {
  /// Usual names of the columns, the first that the table has.
  static let pathColumns = ["path", "file_name", "file", "image"]
  private static let labelColumns = ["label", "class", "labels"]

  struct Row {
    let path: String
    /// As the table has it.
    let name: String
    let label: String
    let line: Int
    let part: Part?
  }

  enum Part: Sendable {
    case training, validation
    /// Kept for a test of the user's own.
    case neither
  }

  let path: String
  let rows: [Row]

  /// - Parameter path: of the table; pictures' paths are relative to its folder.
  /// - Throws: ``TableError``, ``DataError/unknownPart(file:line:part:)``, `FileError`.
  init(path: String) throws {
    let table = try Table(path: path)
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let names = try table.values(of: table.column(among: Self.pathColumns))
    let labels = try table.values(of: table.column(among: Self.labelColumns))
    let parts = try table.columns.contains("split") ? table.values(of: "split") : nil
    self.path = path
    var rows: [Row] = []
    for (index, record) in table.records.enumerated() {
      let name = names[index]
      rows.append(
        Row(
          path: name.hasPrefix("/") ? name : folder + "/" + name, name: name, label: labels[index], line: record.line,
          part: try parts.map { try Self.part($0[index], file: path, line: record.line) }))
    }
    self.rows = rows
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

  static func labels(of rows: [Row]) -> [String] { Set(rows.map(\.label)).sortedAsLabels }

  /// - Throws: ``DataError/unknownClass(folder:name:known:)``.
  static func examples(_ rows: [Row], prefix: String = "", labels: [String], folder: String) throws(DataError)
    -> [Example]
  {
    let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    var examples: [Example] = []
    for row in rows {
      guard let label = places[row.label] else {
        throw .unknownClass(folder: folder, name: row.label, known: labels)
      }
      examples.append(
        Example(
          path: row.path, name: prefix + row.name, label: label,
          digest: try? Digest.sha256(of: MappedFile(path: row.path))))
    }
    return examples
  }
}
