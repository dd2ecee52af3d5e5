import Foundation
import ZooCheckpoint
import ZooInference

/// What `predict` prints of pictures.
struct PredictionView {
  let problem: ProblemType
  let top: Int?
  /// The least probability of a label that is said.
  let threshold: Double
  /// Whether each picture has lines of its own that hold its name, because there may be any number of them.
  let isTable: Bool
  /// Whether a picture's name stands above what is said of it.
  let hasNames: Bool
  let json: Bool

  private struct Guesses: Encodable {
    let image: String
    let predictions: [Prediction.Guess]
  }

  private struct Values: Encodable {
    let image: String
    let values: [Prediction.Value]
  }

  /// A line's number, and what it is of.
  private struct Row {
    let number: String
    let name: String
    var share: Double?
  }

  /// What stands above a table that a program reads.
  func begin() {
    guard isTable, !Terminal.isOutput else { return }
    switch problem {
    case .classes: print("probability\tclass\timage")
    case .multiLabel: print("probability\tlabel\timage")
    case .regression: print("value\tname\timage")
    }
  }

  func show(_ prediction: Prediction, of image: String) {
    if json {
      return print(
        problem == .regression
          ? jsonLine(Values(image: image, values: prediction.values))
          : jsonLine(Guesses(image: image, predictions: guesses(prediction, usual: 5, threshold: 0))))
    }
    let rows = self.rows(of: prediction)
    if isTable { for row in rows { line(row, of: image) } } else { block(rows, of: image) }
  }

  /// - Parameter usual: how many classes are named unless `--top` says it.
  private func guesses(_ prediction: Prediction, usual: Int, threshold: Double) -> [Prediction.Guess] {
    guard problem == .multiLabel else { return prediction.top(top ?? usual) }
    return prediction.top(top ?? prediction.logits.count).filter { $0.probability >= threshold }
  }

  private func rows(of prediction: Prediction) -> [Row] {
    if problem == .regression {
      return prediction.values.map { Row(number: String(format: "%.5g", $0.value), name: $0.name) }
    }
    let rows = guesses(prediction, usual: isTable ? 1 : 5, threshold: threshold).map {
      Row(number: String(format: "%.2f %%", $0.probability * 100), name: $0.label, share: $0.probability)
    }
    return rows.isEmpty ? [Row(number: "–", name: "–")] : rows
  }

  /// Stays aligned while more come.
  private func line(_ row: Row, of image: String) {
    let cells = [row.number, row.name, image].map { $0.escapingControlCharacters() }
    guard Terminal.isOutput else {
      print(cells.joined(separator: "\t"))
      return
    }
    print(
      Self.right(cells[0], 8) + "  " + cells[1].padding(toLength: max(24, cells[1].count), withPad: " ", startingAt: 0)
        + "  " + cells[2])
  }

  private func block(_ rows: [Row], of image: String) {
    if hasNames { print(Terminal.bold(image.escapingControlCharacters())) }
    let width = rows.map(\.name.count).max() ?? 0
    let cells = max(0, min(40, Terminal.width - width - 12))
    for row in rows {
      let name = row.name.escapingControlCharacters()
      let label = Terminal.isOutput ? name.padding(toLength: width, withPad: " ", startingAt: 0) : name
      let bar = row.share.map { String(repeating: "█", count: Int(($0 * Double(cells)).rounded())) } ?? ""
      print("\(Self.right(row.number, 8))  \(label)" + (Terminal.isOutput && !bar.isEmpty ? "  \(bar)" : ""))
    }
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
