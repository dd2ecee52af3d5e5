import ArgumentParser
import ZooCheckpoint
import ZooTraining

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Lay fine-tuning runs side by side.",
    discussion: """
      The score is the best epoch's, by the metric that the run was judged by; an accuracy comes with the range that holds \
      it with 95 % confidence (Wilson).
      """)

  @Argument(help: "Folders that zoo finetune wrote.", completion: .directory)
  var runs: [String]
  @OptionGroup var display: DisplayOptions

  func run() throws {
    let summaries = try runs.map { try RunSummary(folder: $0) }
    if display.json { return summaries.forEach { print(jsonLine(Line($0))) } }
    let metrics = Metric.allCases.filter { metric in summaries.contains { $0.best?.metric == metric } }
    var table = Table([
      .init(title: "RUN", shrinks: true), .init(title: "MODEL", shrinks: true), .init(title: "RECIPE"),
      .init(title: "EPOCHS", alignment: .right), .init(title: "BEST", alignment: .right),
      .init(title: metrics.count == 1 ? metrics[0].name.uppercased() : "SCORE", alignment: .right),
      .init(title: "95 %", alignment: .right),
      .init(title: "LOSS", alignment: .right),
    ])
    for run in summaries {
      let score = run.best.map { best in
        Quantity.score(best.validationScore, best.metric) + (metrics.count > 1 ? " (\(best.metric.name))" : "")
      }
      table.add([
        run.folder, run.parent, run.recipe, "\(run.records.count)", "\(run.bestEpoch)",
        score ?? "–",
        run.accuracy.map { "\(Quantity.percent($0.low)) to \(Quantity.percent($0.high))" } ?? "–",
        run.best.map { Quantity.decimals($0.validationLoss, 4) } ?? "–",
      ])
    }
    print(table.render())
    let differences = RunSummary.differences(summaries)
    guard summaries.count > 1, !differences.isEmpty else { return }
    var settings = Table([.init(title: "SETTING")] + summaries.map { .init(title: $0.folder, shrinks: true) })
    for (setting, values) in differences { settings.add([setting] + values) }
    print("\n" + settings.render())
  }

  private struct Line: Encodable {
    let run: RunSummary
    let accuracy: Proportion?

    init(_ run: RunSummary) {
      self.run = run
      accuracy = run.accuracy
    }
  }
}
