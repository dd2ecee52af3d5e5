import Foundation

/// What one file of texts holds: records of a table, or plain text in which empty lines part the texts.
struct TextSource {
  struct Text {
    /// File and line: `reviews.csv:12`.
    let name: String
    let text: String
    var pair: String?
    var target = ""
  }

  private enum Content {
    case table(Table)
    case paragraphs([(line: Int, text: String)])
  }

  private let path: String
  private let content: Content

  /// - Throws: ``TableError``, `FileError`.
  init(path: String) throws {
    self.path = path
    let isTable = Table.extensions.contains(URL(filePath: path).pathExtension.lowercased())
    content = isTable ? .table(try Table(path: path)) : .paragraphs(try Self.paragraphs(of: path))
  }

  /// Whether each text comes with a class or an answer.
  func hasTargets(_ columns: TextColumns) -> Bool {
    if case .table(let table) = content { table.columns.contains(columns.target(of: table)) } else { false }
  }

  /// - Throws: ``TableError``.
  func texts(for purpose: TextPurpose, _ columns: TextColumns) throws(TableError) -> [Text] {
    let file = URL(filePath: path).lastPathComponent
    switch content {
    case .paragraphs(let paragraphs):
      guard purpose == .continuation else { throw .unknownKind(file: path) }
      return paragraphs.map { Text(name: "\(file):\($0.line)", text: $0.text) }
    case .table(let table):
      let texts = try table.values(of: columns.text(of: table))
      let targets = purpose == .continuation ? nil : try table.values(of: columns.target(of: table))
      var pairs: [String]?
      if let pair = columns.pair { pairs = try table.values(of: pair) }
      return table.records.indices.map { index in
        Text(
          name: "\(file):\(table.records[index].line)", text: texts[index], pair: pairs?[index],
          target: targets?[index] ?? "")
      }
    }
  }

  /// What stands between empty lines.
  private static func paragraphs(of path: String) throws -> [(line: Int, text: String)] {
    let text = String(decoding: try Table.text(of: path), as: UTF8.self).replacing("\r\n", with: "\n")
    var found: [(line: Int, text: String)] = []
    var lines: [Substring] = []
    func end(_ line: Int) {
      if !lines.isEmpty { found.append((line - lines.count, lines.joined(separator: "\n"))) }
      lines = []
    }
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in all.enumerated() {
      if line.allSatisfy(\.isWhitespace) { end(index + 1) } else { lines.append(line) }
    }
    end(all.count + 1)
    guard !found.isEmpty else { throw TableError.noRecords(file: path) }
    return found
  }
}
