import Foundation

/// A bar on standard error, only where that is a terminal.
final class Progress {
  private let title: String
  private let total: Int
  private let isShown: Bool
  private let spell: (Int) -> String
  private let start = Date()
  private var lastShown = Date.distantPast

  /// - Parameter spell: how people read the counts.
  init(_ title: String, total: Int, quiet: Bool, spell: @escaping (Int) -> String = { "\($0)" }) {
    self.spell = spell
    self.title = title
    self.total = max(total, 1)
    isShown = Terminal.isError && !quiet
  }

  func update(_ done: Int, note: String = "") {
    guard isShown else { return }
    let now = Date()
    guard done >= total || now.timeIntervalSince(lastShown) > 0.1 else { return }
    lastShown = now
    let fraction = min(Double(done) / Double(total), 1)
    let left = fraction > 0.02 ? now.timeIntervalSince(start) * (1 - fraction) / fraction : nil
    let time = left.map { $0 >= 1 ? " \(Int($0.rounded(.up))) s left" : "" } ?? ""
    let counts = " \(spell(done))/\(spell(total))\(time)\(note.isEmpty ? "" : "  " + note)"
    let cells = max(6, min(30, Terminal.width - title.count - counts.count - 4))
    let filled = Int(fraction * Double(cells))
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: cells - filled)
    write("\r\u{1B}[K" + String("\(title) \(bar)\(counts)".prefix(max(Terminal.width - 1, 10))))
  }

  /// Removes the bar.
  func finish() { if isShown { write("\r\u{1B}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
