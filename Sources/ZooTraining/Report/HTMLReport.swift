import Foundation
import ZooCheckpoint
import ZooVision

/// `report.html`: one file that needs nothing else, no script and no network.
public struct HTMLReport {
  private let content: ReportContent

  public init(_ content: ReportContent) { self.content = content }

  /// Replaces what is there.
  ///
  /// - Throws: `FileError`.
  public func write(to path: String) throws {
    let file = try AtomicFile(path: path, overwrite: true)
    try file.write(html())
    try file.commit()
  }

  public func html() -> String {
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
      \(content.findings.sections(content))
      \(nearDuplicates())
      \(skipped())
      <section><h2>How it was made</h2><pre>\(content.command.escapedForHTML)</pre>\(facts())</section>
      </main></body></html>

      """
  }

  private func headline() -> String {
    var tiles = content.findings.tiles(content)
    let best = content.epochs.first { $0.epoch == content.bestEpoch }
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
    let metric = content.epochs.last?.metric ?? .accuracy
    let scores = content.epochs.compactMap(\.trainingScore)
    let score = LineChart(
      title: metric.title,
      series: (scores.count == content.epochs.count ? [.init(name: "training", values: scores)] : [])
        + [.init(name: "validation", values: content.epochs.map(\.validationScore), place: 1)],
      maximum: metric.isShare ? 1 : nil, isPercent: metric.isShare, marked: content.bestEpoch)
    let loss = LineChart(
      title: "Loss (\(content.loss))",
      series: [
        .init(name: "training", values: content.epochs.map(\.trainingLoss)),
        .init(name: "validation", values: content.epochs.map(\.validationLoss)),
      ], marked: content.bestEpoch)
    let rate = LineChart(
      title: "Learning rate, at each epoch's end",
      series: [.init(name: "highest group's", values: content.epochs.map(\.learningRate))])
    let charts = [score, loss] + (content.epochs.count > 1 ? [rate] : [])
    return "<section><h2>Epochs</h2><div class=\"charts\">\(charts.map { $0.svg() }.joined())</div></section>"
  }

  /// - Parameter none: what to say where there are no mistakes.
  static func mistakes(_ content: ReportContent, none: String) -> String {
    guard !content.mistakes.isEmpty else {
      return "<section><h2>Worst mistakes</h2><p>None: \(none.escapedForHTML).</p></section>"
    }
    let cards = content.mistakes.map { mistake in
      """
      <li>\(mistake.thumbnail.map(image) ?? "")<p><b>\(mistake.prediction.escapedForHTML)</b> \
      \(mistake.confidence.map(percent) ?? "")<br>is <b>\(mistake.truth.escapedForHTML)</b><br>\
      <small>\(mistake.name.escapedForHTML)</small></p></li>
      """
    }
    return "<section><h2>Worst mistakes</h2><ul class=\"mistakes\">\(cards.joined(separator: "\n"))</ul></section>"
  }

  private func nearDuplicates() -> String {
    guard !content.nearDuplicates.isEmpty else { return "" }
    let cards = content.nearDuplicates.map { pair in
      """
      <li><div class="pair">\(pair.thumbnails.map(Self.image).joined())</div>\
      <p><small>\(pair.validation.escapedForHTML)<br>looks like \(pair.training.escapedForHTML)</small></p></li>
      """
    }
    let more = content.nearDuplicateCount > cards.count ? ", of which these are the most alike" : ""
    return """
      <section><h2>Near duplicates</h2><p>\(content.nearDuplicateCount) validation pictures look like training \
      pictures\(more); the accuracy may be flattered.</p><ul class="mistakes">\(cards.joined(separator: "\n"))</ul></section>
      """
  }

  static func image(_ picture: Picture) -> String {
    "<img alt=\"\" src=\"data:image/png;base64,\(Data(PNGEncoder.encode(picture)).base64EncodedString())\">"
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
    return "<dl>\(rows.joined())</dl>\(timing())"
  }

  private func timing() -> String {
    guard let timing = content.timing else { return "" }
    let parts = [
      ("preparing (frozen features)", timing.preparing), ("learning", timing.learning),
      ("waiting for \(content.examples)", timing.waiting), ("judging", timing.judging), ("saving", timing.saving),
    ]
    let total = max(parts.reduce(0) { $0 + $1.1 }, 1e-9)
    let rows = parts.map {
      "<tr><th>\($0.0)</th><td>\(String(format: "%.2f s", $0.1))</td><td>\(Self.percent($0.1 / total))</td></tr>"
    }
    return "<h2 class=\"later\">Where the time went</h2><div class=\"scroll\"><table>\(rows.joined())</table></div>"
  }

  /// A share in a table, as a bar and a number.
  static func meterCell(_ share: Double?) -> String {
    guard let share else { return "<td>–</td>" }
    let value = String(format: "%.4f", share)
    return "<td><meter min=\"0\" max=\"1\" value=\"\(value)\"></meter> \(percent(share))</td>"
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
