import Foundation
import ZooCheckpoint

/// Pictures that a table lists with their classes: a CSV or TSV file, JSON lines, or the `metadata.jsonl` (or `.csv`) of
/// a Hugging Face imagefolder.
struct PictureTable {
  /// Usual names of the columns, the first that the table has.
  private static let pathColumns = ["path", "file_name", "file", "image"]
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
    let names = try table.values(of: Self.first(Self.pathColumns, of: table))
    let labels = try table.values(of: Self.first(Self.labelColumns, of: table))
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

  private static func first(_ usual: [String], of table: Table) -> String {
    usual.first(where: table.columns.contains) ?? usual[0]
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

  /// Numbers sort as numbers, so that class 10 comes after class 9.
  static func labels(of rows: [Row]) -> [String] {
    let labels = Set(rows.map(\.label))
    guard labels.allSatisfy({ Int($0) != nil }) else {
      return labels.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
    return labels.sorted { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) }
  }

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

/// Which pictures of a data set are learnt from and which are judged by, as a table says: columns `path` and `split`.
struct SplitFile {
  let path: String
  private let parts: [String: PictureTable.Part]

  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  init(path: String) throws {
    let table = try Table(path: path)
    let column = ["path", "file_name", "file", "image"].first(where: table.columns.contains) ?? "path"
    var parts: [String: PictureTable.Part] = [:]
    for (index, name) in try table.values(of: column).enumerated() {
      parts[name] = try PictureTable.part(
        table.values(of: "split")[index], file: path, line: table.records[index].line)
    }
    self.path = path
    self.parts = parts
  }

  /// - Throws: ``DataError/notInSplit(file:name:)`` where a picture isn't listed.
  func divide(_ examples: [Example]) throws(DataError) -> (training: [Example], validation: [Example]) {
    var (training, validation): ([Example], [Example]) = ([], [])
    for example in examples {
      switch parts[example.name] {
      case .training: training.append(example)
      case .validation: validation.append(example)
      case .neither: break
      case nil: throw .notInSplit(file: path, name: example.name)
      }
    }
    return (training, validation)
  }
}
