import Foundation

/// What a network says of examples of which any number of labels holds.
public struct JudgedLabels: ExampleFindings {
  public let metrics: LabelMetrics
  let labels: [String]
  let mistakes: [JudgedMistake]

  /// - Parameters:
  ///   - logits: a row for each example.
  ///   - truths: the labels that hold.
  init(logits: [[Float]], truths: [[Int]], labels: [String]) {
    metrics = LabelMetrics(logits: logits, truths: truths, labels: labels.count)
    self.labels = labels
    func words(_ places: [Int]) -> String {
      places.isEmpty ? "none" : places.map { labels[$0] }.joined(separator: ", ")
    }
    mistakes = zip(logits, truths).enumerated().compactMap { place, pair in
      let (row, truth) = pair
      let said = row.indices.filter { row[$0] >= 0 }
      guard said != truth else { return nil }
      // How sure the surest of its wrong decisions is.
      let wrong = Set(said).symmetricDifference(truth).map { abs(row[$0]) }.max() ?? 0
      return JudgedMistake(place: place, truth: words(truth), prediction: words(said), weight: Double(wrong))
    }.sorted { $0.weight > $1.weight }
  }

  public func tiles(_ content: ReportContent) -> [(value: String, name: String)] {
    let exact = metrics.exactMatch
    let (low, high) = (HTMLReport.percent(exact.low), HTMLReport.percent(exact.high))
    return [
      (HTMLReport.percent(metrics.meanAveragePrecision), "mean average precision (mAP)"),
      (HTMLReport.percent(metrics.microF1), "F1 of all decisions (micro)"),
      (HTMLReport.percent(metrics.macroF1), "F1 of labels (macro)"),
      (HTMLReport.percent(exact.share), "\(content.examples) with all labels right (95 %: \(low) to \(high))"),
    ]
  }

  public func sections(_ content: ReportContent) -> String {
    var html = "<div class=\"scroll\"><table><thead><tr><th>label</th><th>\(content.examples)</th><th>precision</th>"
    html += "<th>recall</th><th>F1</th><th>average precision</th></tr></thead><tbody>"
    for (name, label) in zip(labels, metrics.labels) {
      let cells = [label.precision, label.recall, label.f1, label.averagePrecision].map(HTMLReport.meterCell)
      html += "<tr><th>\(name.escapedForHTML)</th><td>\(label.support)</td>\(cells.joined())</tr>"
    }
    html += "</tbody></table></div>"
    return """
      <section><h2>Labels</h2>\(html)<p><small>A label is said where its probability is at least 50 %. Average precision \
      doesn't depend on that: it is the area under the curve of precision over recall.</small></p></section>
      \(HTMLReport.mistakes(content, none: "all validation \(content.examples) got all their labels"))
      """
  }

  public func headline(examples: String) -> (value: String, words: String) {
    let exact = metrics.exactMatch
    return (
      "mAP \(HTMLReport.percent(metrics.meanAveragePrecision))",
      ", F1 \(HTMLReport.percent(metrics.microF1)) micro, \(HTMLReport.percent(metrics.macroF1)) macro; all labels right on "
        + "\(exact.count) of \(exact.total) validation \(examples)"
    )
  }
}
