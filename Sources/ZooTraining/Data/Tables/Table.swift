import Foundation
import ZooCheckpoint

/// Records of named fields, out of a CSV file or of JSON lines.
public struct Table: Sendable {
  public struct Record: Sendable, Equatable {
    /// The line that it begins on, from 1.
    public let line: Int
    public let fields: [String: String]
    /// Those whose value is a list of texts or numbers, which JSON alone has.
    public var lists: [String: [String]] = [:]
  }

  public let path: String
  /// Names of the fields, in the file's order.
  public let columns: [String]
  public let records: [Record]

  /// Endings of names that ``init(path:)`` reads.
  public static let extensions = ["csv", "tsv", "jsonl", "ndjson", "json"]

  /// What a file's name says it holds decides how it is read.
  ///
  /// - Throws: ``TableError``, `FileError`.
  public init(path: String) throws {
    let text = try Self.text(of: path)
    self.path = path
    switch URL(filePath: path).pathExtension.lowercased() {
    case "tsv": (columns, records) = try CSVReader(path: path, delimiter: UInt8(ascii: "\t")).read(text)
    case "csv": (columns, records) = try CSVReader(path: path, delimiter: UInt8(ascii: ",")).read(text)
    case "jsonl", "ndjson", "json": (columns, records) = try JSONLines(path: path).read(text)
    default: throw TableError.unknownKind(file: path)
    }
    guard !records.isEmpty else { throw TableError.noRecords(file: path) }
  }

  /// The whole of a file's text, without a byte order mark.
  ///
  /// - Throws: ``TableError/notUTF8(file:offset:)``, `FileError`.
  static func text(of path: String) throws -> [UInt8] {
    let file = try MappedFile(path: path)
    var bytes = try file.withBytes(offset: 0, count: file.count) { Array($0) }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard let wrong = bytes.firstInvalidUTF8 else { return bytes }
    throw TableError.notUTF8(file: path, offset: wrong)
  }

  /// The first of some usual names of a column that it has; the very first where it has none.
  func column(among usual: [String]) -> String { usual.first(where: columns.contains) ?? usual[0] }

  /// The texts of a column that every record has, one or several each: JSON's lists, or a field's parts.
  ///
  /// - Throws: ``TableError``.
  func lists(of column: String, separator: Character) throws(TableError) -> [[String]] {
    guard columns.contains(column) else { throw .noColumn(file: path, column: column, found: columns) }
    var lists: [[String]] = []
    for record in records {
      if let list = record.lists[column] {
        lists.append(list)
      } else if let text = record.fields[column] {
        lists.append(
          text.split(separator: separator).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty })
      } else {
        throw .noField(file: path, line: record.line, column: column)
      }
    }
    return lists
  }

  /// The values of a column that every record has.
  ///
  /// - Throws: ``TableError``.
  func values(of column: String) throws(TableError) -> [String] {
    guard columns.contains(column) else { throw .noColumn(file: path, column: column, found: columns) }
    var values: [String] = []
    for record in records {
      guard let value = record.fields[column] else { throw .noField(file: path, line: record.line, column: column) }
      values.append(value)
    }
    return values
  }
}

extension [UInt8] {
  /// Where the first byte stands that belongs to no character; nil where all do.
  fileprivate var firstInvalidUTF8: Int? {
    guard String(validating: self, as: UTF8.self) == nil else { return nil }
    var decoder = UTF8()
    var place = startIndex
    while place < endIndex {
      var rest = self[place...].prefix(4).makeIterator()
      switch decoder.decode(&rest) {
      case .scalarValue(let scalar): place += UTF8.width(scalar)
      case .emptyInput, .error: return place
      }
      decoder = UTF8()
    }
    return place
  }
}
