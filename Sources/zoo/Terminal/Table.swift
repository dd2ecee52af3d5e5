import ZooCheckpoint

/// Aligned columns for a terminal, tab-separated values when piped.
struct Table {
  enum Alignment { case left, right }
  struct Column {
    var title: String
    var alignment: Alignment = .left
    /// Whether the column gives up characters first where the window is narrow.
    var shrinks = false
  }
  let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ row: [String]) { rows.append(row.map { $0.escapingControlCharacters() }) }

  func render(width: Int = Terminal.width) -> String {
    guard Terminal.isOutput else {
      return ([columns.map(\.title)] + rows).map { $0.joined(separator: "\t") }.joined(separator: "\n")
    }
    var widths = columns.indices.map { index in
      ([columns[index].title] + rows.map { $0[index] }).map(\.count).max() ?? 0
    }
    let excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
    if excess > 0, let index = columns.firstIndex(where: \.shrinks) { widths[index] = max(8, widths[index] - excess) }
    let header = Terminal.bold(line(columns.map(\.title), widths))
    return ([header] + rows.map { line($0, widths) }).joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var parts: [String] = []
    for (index, cell) in cells.enumerated() {
      let text = cell.count > widths[index] ? String(cell.prefix(widths[index] - 1)) + "…" : cell
      let padding = String(repeating: " ", count: widths[index] - text.count)
      parts.append(columns[index].alignment == .left ? text + padding : padding + text)
    }
    let line = parts.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}
