import Foundation

/// The report's sections on classes, of which each example has one.
struct ClassSections {
  let confusion: ConfusionMatrix
  let calibration: Calibration
  let content: ReportContent

  func html() -> String {
    """
    <section><h2>Confusion matrix</h2>\(matrix())</section>
    <section><h2>Classes</h2>\(classes())</section>
    \(reliability())
    \(HTMLReport.mistakes(content, none: "all validation \(content.examples) were put into their classes"))
    """
  }

  /// Shaded by the share of the true class.
  private func matrix() -> String {
    let matrix = confusion
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
    let matrix = confusion
    var html =
      "<div class=\"scroll\"><table><thead><tr><th>class</th><th>\(content.examples)</th><th>precision</th><th>recall</th><th>F1</th></tr>"
    html += "</thead><tbody>"
    for (label, name) in matrix.labels.enumerated() {
      let cells = [matrix.precision(label), matrix.recall(label), matrix.f1(label)].map(HTMLReport.meterCell)
      html += "<tr><th>\(name.escapedForHTML)</th><td>\(matrix.support(label))</td>\(cells.joined())</tr>"
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
