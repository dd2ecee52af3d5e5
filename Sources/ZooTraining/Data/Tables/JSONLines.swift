import Foundation

/// A JSON object a line (jsonlines.org). Numbers and truth values are taken for their text, lists for
/// those of their items; null is no value.
struct JSONLines {
  let path: String

  /// - Throws: ``TableError``.
  func read(_ bytes: [UInt8]) throws(TableError) -> (columns: [String], records: [Table.Record]) {
    var columns: [String] = []
    var known: Set<String> = []
    var records: [Table.Record] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      let fields = try self.fields(line, line: index + 1)
      for name in fields.keys.sorted() where known.insert(name).inserted { columns.append(name) }
      records.append(
        .init(line: index + 1, fields: fields.compactMapValues(\.text), lists: fields.compactMapValues(\.list)))
    }
    return (columns, records)
  }

  private func fields(_ bytes: ArraySlice<UInt8>, line: Int) throws(TableError) -> [String: Value] {
    guard let object = (try? JSONDecoder().decode([String: Value].self, from: Data(bytes))) else {
      throw .notJSON(file: path, line: line)
    }
    return object.filter { $0.value.text != nil || $0.value.list != nil }
  }

  /// A value that can be a field.
  private struct Value: Decodable {
    var text: String?
    var list: [String]?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let string = try? container.decode(String.self) {
        text = string
      } else if let truth = try? container.decode(Bool.self) {
        text = "\(truth)"
      } else if let whole = try? container.decode(Int.self) {
        text = "\(whole)"
      } else if let number = try? container.decode(Double.self) {
        text = "\(number)"
      } else if let items = try? container.decode([Value].self) {
        let texts = items.compactMap(\.text)
        list = texts.count == items.count ? texts : nil
      }
    }
  }
}
