import Foundation
import ZooVision

/// `report.html`: one file that needs nothing else, no script and no network.
public struct HTMLReport {
  private let content: ReportContent

  public init(_ content: ReportContent) { self.content = content }

  public func html() throws -> String {
    let title = content.title.escapedForHTML
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <title>\(title)</title><style>\(ReportStyle.css)</style></head><body><main>
      <h1>\(title)</h1>
      \(headline())
      \(warnings())
      \(curves())
      \(try hasClasses ? aboutClasses() : "")
      \(skipped())
      <section><h2>How it was made</h2><pre>\(content.command.escapedForHTML)</pre>\(facts())</section>
      </main></body></html>

      """
  }

  private var hasClasses: Bool { !content.confusion.labels.isEmpty }

  private func aboutClasses() throws -> String {
    """
    <section><h2>Confusion matrix</h2>\(confusion())</section>
    <section><h2>Classes</h2>\(classes())</section>
    \(try mistakes())
    """
  }

  private func headline() -> String {
    let confusion = content.confusion
    let best = content.epochs.first { $0.epoch == content.bestEpoch }
    var tiles: [(String, String)] = []
    if hasClasses {
      tiles.append((Self.percent(confusion.accuracy), "validation accuracy"))
      tiles.append(("\(confusion.correct) of \(confusion.total)", "\(content.examples) right"))
    } else if let best {
      tiles.append((Self.percent(best.validationAccuracy), "of validation \(content.examples) told"))
      tiles.append((String(format: "%.2f", exp(best.validationLoss)), "perplexity"))
    }
    if let best {
      tiles.append((String(format: "%.3f", best.validationLoss), "validation loss"))
      tiles.append(("\(best.epoch) of \(content.epochs.count)", "best epoch, kept"))
    }
    return "<div class=\"tiles\">" + tiles.map { "<div><b>\($0.0)</b><span>\($0.1)</span></div>" }.joined() + "</div>"
  }

  private func warnings() -> String {
    content.warnings.map { "<p class=\"warning\">\($0.escapedForHTML)</p>" }.joined(separator: "\n")
  }

  private func curves() -> String {
    guard !content.epochs.isEmpty else { return "" }
    let accuracy = LineChart(
      title: "Accuracy",
      series: [
        .init(name: "training", values: content.epochs.map(\.trainingAccuracy)),
        .init(name: "validation", values: content.epochs.map(\.validationAccuracy)),
      ], maximum: 1, isPercent: true, marked: content.bestEpoch)
    let loss = LineChart(
      title: "Loss (cross-entropy)",
      series: [
        .init(name: "training", values: content.epochs.map(\.trainingLoss)),
        .init(name: "validation", values: content.epochs.map(\.validationLoss)),
      ], marked: content.bestEpoch)
    return "<section><h2>Epochs</h2><div class=\"charts\">\(accuracy.svg())\(loss.svg())</div></section>"
  }

  /// Shaded by the share of the true class.
  private func confusion() -> String {
    let matrix = content.confusion
    let names = matrix.labels.map(\.escapedForHTML)
    var html = "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>truth ↓ prediction →</th>"
    html += names.map { "<th>\($0)</th>" }.joined() + "</tr></thead><tbody>"
    for (truth, row) in matrix.counts.enumerated() {
      html += "<tr><th>\(names[truth])</th>"
      for (prediction, count) in row.enumerated() {
        let share = Double(count) / Double(max(matrix.support(truth), 1))
        let kind = truth == prediction ? "right" : "wrong"
        html += "<td class=\"\(kind)\" style=\"--share:\(String(format: "%.2f", share))\">\(count)</td>"
      }
      html += "</tr>"
    }
    return html + "</tbody></table></div>"
  }

  private func classes() -> String {
    let matrix = content.confusion
    var html =
      "<div class=\"scroll\"><table><thead><tr><th>class</th><th>\(content.examples)</th><th>precision</th><th>recall</th></tr>"
    html += "</thead><tbody>"
    for (label, name) in matrix.labels.enumerated() {
      let cells = [matrix.precision(label), matrix.recall(label)].map { value in
        value.map {
          "<td><meter min=\"0\" max=\"1\" value=\"\(String(format: "%.4f", $0))\"></meter> \(Self.percent($0))</td>"
        }
          ?? "<td>–</td>"
      }
      html += "<tr><th>\(name.escapedForHTML)</th><td>\(matrix.support(label))</td>\(cells.joined())</tr>"
    }
    return html + "</tbody></table></div>"
  }

  private func mistakes() throws -> String {
    guard !content.mistakes.isEmpty else {
      return
        "<section><h2>Worst mistakes</h2><p>None: all validation \(content.examples) were put into their classes.</p></section>"
    }
    let cards = content.mistakes.map { mistake in
      let image =
        mistake.thumbnail.map {
          "<img alt=\"\" src=\"data:image/png;base64,\(Data(PNGEncoder.encode($0)).base64EncodedString())\">"
        } ?? ""
      return """
        <li>\(image)<p><b>\(mistake.prediction.escapedForHTML)</b> \(Self.percent(mistake.confidence))<br>\
        is <b>\(mistake.truth.escapedForHTML)</b><br><small>\(mistake.name.escapedForHTML)</small></p></li>
        """
    }
    return "<section><h2>Worst mistakes</h2><ul class=\"mistakes\">\(cards.joined(separator: "\n"))</ul></section>"
  }

  private func skipped() -> String {
    guard !content.skipped.isEmpty else { return "" }
    let rows = content.skipped.map {
      "<tr><th>\($0.name.escapedForHTML)</th><td class=\"words\">\($0.reason.escapedForHTML)</td></tr>"
    }
    return """
      <section><h2>Skipped pictures</h2><p>\(content.skipped.count) could not be read and were left out.</p>\
      <div class="scroll"><table>\(rows.joined())</table></div></section>
      """
  }

  private func facts() -> String {
    let rows = content.facts.map { "<dt>\($0.name.escapedForHTML)</dt><dd>\($0.value.escapedForHTML)</dd>" }
    return "<dl>\(rows.joined())</dl>"
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
