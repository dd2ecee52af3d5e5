import Foundation

/// A bar on standard error, only where that is a terminal.
final class Progress {
  private let title: String
  private let total: Int
  private let isShown: Bool
  private let spell: (Int) -> String
  private let start = Date()
  private var lastShown = Date.distantPast
  private let isRated: Bool
  /// What was done before, as the part of a download that was here already.
  private var first: Int?

  /// - Parameters:
  ///   - rated: whether it says how much is done a second.
  ///   - spell: how people read the counts.
  init(
    _ title: String, total: Int, quiet: Bool, rated: Bool = false, spell: @escaping (Int) -> String = { "\($0)" }
  ) {
    self.spell = spell
    isRated = rated
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
    if first.map({ done < $0 }) ?? true { first = done }
    let isKnown = fraction > 0.02 || isRated && now.timeIntervalSince(start) > 1
    let rate = Double(done - (first ?? 0)) / max(now.timeIntervalSince(start), 1e-3)
    let left = isKnown && rate > 0 ? Double(total - done) / rate : nil
    let time = left.map { $0 >= 1 ? " \(Quantity.wait($0)) left" : "" } ?? ""
    let speed = isRated && isKnown ? " \(spell(Int(rate)))/s" : ""
    let counts = " \(spell(done))/\(spell(total))\(speed)\(time)\(note.isEmpty ? "" : "  " + note)"
    let cells = max(6, min(30, Terminal.width - title.count - counts.count - 4))
    let filled = Int(fraction * Double(cells))
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: cells - filled)
    write("\r\u{1B}[K" + String("\(title) \(bar)\(counts)".prefix(max(Terminal.width - 1, 10))))
  }

  /// Removes the bar.
  func finish() { if isShown { write("\r\u{1B}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
