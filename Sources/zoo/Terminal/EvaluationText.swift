import ZooTraining

/// What `evaluate` says of networks whose outputs aren't classes.
struct EvaluationText {
  let display: DisplayOptions

  private struct NamedLabel: Encodable {
    let name: String
    let metrics: LabelMetrics.Label

    private enum CodingKeys: CodingKey { case name }

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(name, forKey: .name)
      try metrics.encode(to: encoder)
    }
  }

  private struct Labels: Encodable {
    let meanAveragePrecision, microF1, macroF1, loss: Double
    let exactMatch: Proportion
    let pictures: Int
    let labels: [NamedLabel]
    let skipped: [SkippedPicture]
  }

  func show(_ evaluation: LabelEvaluation) {
    SkippedPictures(evaluation.skipped).note()
    let metrics = evaluation.metrics
    if display.json {
      return print(
        jsonLine(
          Labels(
            meanAveragePrecision: metrics.meanAveragePrecision, microF1: metrics.microF1, macroF1: metrics.macroF1,
            loss: evaluation.loss, exactMatch: metrics.exactMatch, pictures: evaluation.pictures,
            labels: zip(evaluation.labels, metrics.labels).map { NamedLabel(name: $0, metrics: $1) },
            skipped: evaluation.skipped)))
    }
    print(
      "mAP \(Quantity.percent(metrics.meanAveragePrecision)), F1 \(Quantity.percent(metrics.microF1)) micro, "
        + "\(Quantity.percent(metrics.macroF1)) macro; all labels right: \(EvaluateCommand.words(metrics.exactMatch)), "
        + "\(metrics.exactMatch.count) of \(evaluation.pictures) pictures; loss \(Quantity.decimals(evaluation.loss, 4))"
    )
    if display.quiet { return }
    var table = Table([
      .init(title: "LABEL", shrinks: true), .init(title: "PICTURES", alignment: .right),
      .init(title: "PRECISION", alignment: .right), .init(title: "RECALL", alignment: .right),
      .init(title: "F1", alignment: .right), .init(title: "AP", alignment: .right),
    ])
    for (name, label) in zip(evaluation.labels, metrics.labels) {
      let shares = [label.precision, label.recall, label.f1, label.averagePrecision]
      table.add([name, "\(label.support)"] + shares.map { $0.map(Quantity.percent) ?? "–" })
    }
    print(table.render())
  }

  private struct NamedValue: Encodable {
    let name: String
    let rootMeanSquaredError, meanAbsoluteError, r2: Double
  }

  private struct Values: Encodable {
    let rootMeanSquaredError, meanAbsoluteError, r2: Double
    let pictures: Int
    let values: [NamedValue]
    let skipped: [SkippedPicture]
  }

  func show(_ evaluation: ValueEvaluation) {
    SkippedPictures(evaluation.skipped).note()
    let metrics = evaluation.metrics
    if display.json {
      let values = zip(evaluation.names, metrics.values).map {
        NamedValue(
          name: $0, rootMeanSquaredError: $1.rootMeanSquaredError, meanAbsoluteError: $1.meanAbsoluteError, r2: $1.r2)
      }
      return print(
        jsonLine(
          Values(
            rootMeanSquaredError: metrics.rootMeanSquaredError, meanAbsoluteError: metrics.meanAbsoluteError,
            r2: metrics.r2, pictures: evaluation.pictures, values: values, skipped: evaluation.skipped)))
    }
    print(
      "RMSE \(Quantity.score(metrics.rootMeanSquaredError, .rootMeanSquaredError)), "
        + "MAE \(Quantity.score(metrics.meanAbsoluteError, .rootMeanSquaredError)), "
        + "R² \(Quantity.decimals(metrics.r2, 3)) on \(evaluation.pictures) pictures")
    if display.quiet || evaluation.names.count < 2 { return }
    var table = Table(
      [.init(title: "VALUE", shrinks: true)] + ["RMSE", "MAE", "R²"].map { .init(title: $0, alignment: .right) })
    for (name, value) in zip(evaluation.names, metrics.values) {
      table.add([
        name, Quantity.score(value.rootMeanSquaredError, .rootMeanSquaredError),
        Quantity.score(value.meanAbsoluteError, .rootMeanSquaredError), Quantity.decimals(value.r2, 3),
      ])
    }
    print(table.render())
  }
}
