import Foundation

/// How far a network's numbers are from the true ones.
public struct JudgedValues: ExampleFindings {
  public let metrics: ValueMetrics
  let predictions: [[Double]]
  let truths: [[Double]]
  let names: [String]
  let mistakes: [JudgedMistake]

  /// - Parameters:
  ///   - predictions: a row for each example, in the numbers' own units.
  ///   - truths: as many.
  init(predictions: [[Double]], truths: [[Double]], names: [String]) {
    let metrics = ValueMetrics(predictions: predictions, truths: truths)
    (self.metrics, self.predictions, self.truths, self.names) = (metrics, predictions, truths, names)
    func words(_ row: [Double]) -> String {
      row.count == 1 ? Self.text(row[0]) : zip(names, row).map { "\($0) \(Self.text($1))" }.joined(separator: ", ")
    }
    mistakes = zip(predictions, truths).enumerated().map { place, pair in
      // Numbers of several kinds are laid beside each other by their usual error.
      let errors = zip(zip(pair.0, pair.1), metrics.values).map {
        abs($0.0 - $0.1) / max($1.rootMeanSquaredError, .leastNormalMagnitude)
      }
      return JudgedMistake(
        place: place, truth: words(pair.1), prediction: words(pair.0), weight: errors.max() ?? 0)
    }.filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }
  }

  static func text(_ value: Double) -> String { String(format: "%.4g", value) }

  public func tiles(_ content: ReportContent) -> [(value: String, name: String)] {
    let mean = names.count > 1 ? ", mean of \(names.count) values" : ""
    return [
      (Self.text(metrics.rootMeanSquaredError), "root mean squared error (RMSE)" + mean),
      (Self.text(metrics.meanAbsoluteError), "mean absolute error (MAE)" + mean),
      (String(format: "%.3f", metrics.r2), "R²: share of the variance explained" + mean),
    ]
  }

  public func sections(_ content: ReportContent) -> String {
    let charts = names.indices.flatMap { column in
      let pairs = zip(truths, predictions).map { (truth: $0[column], prediction: $1[column]) }
      return [
        ScatterChart(
          title: "\(names[column]): predicted over true", across: "true", up: "predicted",
          points: pairs.map { ($0.truth, $0.prediction) }, line: .diagonal),
        ScatterChart(
          title: "\(names[column]): residuals", across: "predicted", up: "predicted − true",
          points: pairs.map { ($0.prediction, $0.prediction - $0.truth) }, line: .zero),
      ]
    }
    return """
      <section><h2>Predicted and true values</h2><div class="charts">\(charts.map { $0.svg() }.joined())</div>\
      <p><small>In the units of the table; the loss is that of values at mean 0 and variance 1 over the training \
      \(content.examples).</small></p></section>
      \(names.count > 1 ? "<section><h2>Values</h2>\(table())</section>" : "")
      \(HTMLReport.mistakes(content, none: "all values are exactly right"))
      """
  }

  private func table() -> String {
    var html = "<div class=\"scroll\"><table><thead><tr><th>value</th><th>RMSE</th><th>MAE</th><th>R²</th></tr></thead>"
    for (name, value) in zip(names, metrics.values) {
      html += "<tr><th>\(name.escapedForHTML)</th><td>\(Self.text(value.rootMeanSquaredError))</td>"
      html += "<td>\(Self.text(value.meanAbsoluteError))</td><td>\(String(format: "%.3f", value.r2))</td></tr>"
    }
    return html + "</table></div>"
  }

  public func headline(examples: String) -> (value: String, words: String) {
    (
      "RMSE \(Self.text(metrics.rootMeanSquaredError))",
      ", MAE \(Self.text(metrics.meanAbsoluteError)), R² \(String(format: "%.3f", metrics.r2)) on "
        + "\(truths.count) validation \(examples)"
    )
  }
}
