import Foundation

/// The report's sections on classes, of which each example has one.
struct ClassSections {
  let confusion: ConfusionMatrix
  let calibration: Calibration
  let content: ReportContent

  func html() -> String {
    """
    <section><h2>Confusion matrix</h2>\(Self.matrix(confusion))</section>
    <section><h2>Classes</h2>\(Self.classes(confusion, of: content.examples, last: ("F1", confusion.f1)))</section>
    \(reliability())
    \(HTMLReport.mistakes(content, none: "all validation \(content.examples) were put into their classes"))
    """
  }

  /// Shaded by the share of the true class.
  static func matrix(_ matrix: ConfusionMatrix) -> String {
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

  /// A row a class.
  ///
  /// - Parameters:
  ///   - examples: what is counted.
  ///   - last: what stands beside precision and recall.
  ///   - key: what stands before the class's name.
  static func classes(
    _ matrix: ConfusionMatrix, of examples: String, last: (name: String, value: (Int) -> Double?),
    key: (Int) -> String = { _ in "" }
  ) -> String {
    var html = "<div class=\"scroll\"><table><thead><tr><th>class</th>"
    html += [examples, "precision", "recall", last.name].map { "<th>\($0)</th>" }.joined() + "</tr></thead><tbody>"
    for (label, name) in matrix.labels.enumerated() {
      let cells = [matrix.precision(label), matrix.recall(label), last.value(label)].map(HTMLReport.meterCell)
      html += "<tr><th>\(key(label))\(name.escapedForHTML)</th><td>\(matrix.support(label))</td>\(cells.joined())</tr>"
    }
    return html + "</tbody></table></div>"
  }

  private func reliability() -> String {
    """
    <section><h2>Reliability</h2><div class="side">\(ReliabilityChart(calibration: calibration).svg())<p>How often the \
    network is right (upwards) where it is so sure (to the right); bars say how many \(content.examples) there are. \
    Below the diagonal it is surer than it should be. Expected calibration error: \
    <b>\(HTMLReport.percent(calibration.error))</b>.</p></div></section>
    """
  }
}
