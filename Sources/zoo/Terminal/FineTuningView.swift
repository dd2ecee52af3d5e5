import Foundation
import ZooCheckpoint
import ZooTraining

/// What people see of a run: a bar on standard error, a line an epoch on standard output.
final class FineTuningView {
  /// Above this many epochs only every so many, and those better than all before, have a line.
  private static let lines = 20

  private let display: DisplayOptions
  private var bar: Progress?
  private var barTitle = ""
  private var epochs = 0
  private let start = ContinuousClock.now

  init(display: DisplayOptions) { self.display = display }

  private var isSilent: Bool { display.quiet || display.json }

  func begin(_ tuning: FineTuning) {
    let dataset = tuning.dataset
    if let reason = dataset.reason, !isSilent {
      print("--task \(dataset.problem.rawValue): \(reason)".escapingControlCharacters())
    }
    begin(
      "\(tuning.network.name): \(tuning.recipe.whatLearns), for \(Self.classes(of: dataset))", dataset, tuning.recipe)
    if !isSilent { noteImbalance(dataset) }
  }

  func begin(_ tuning: TextFineTuning) {
    let dataset = tuning.dataset
    let what =
      switch dataset.purpose {
      case .classes: Self.classes(of: dataset)
      case .answers: "answers"
      case .continuation: "going on"
      }
    let name = tuning.network.model.name ?? tuning.network.description.family
    begin("\(name): \(tuning.recipe.kind.rawValue), for \(what)", dataset, tuning.recipe)
  }

  func begin(_ tuning: SegmentationFineTuning) {
    let dataset = tuning.dataset
    clear()
    begin(
      "\(tuning.network.name): \(tuning.recipe.whatLearns), for the pixels of \(Self.classes(of: dataset))", dataset,
      tuning.recipe)
    guard !isSilent else { return }
    for warning in tuning.warnings { Terminal.note("zoo: " + warning.escapingControlCharacters()) }
  }

  private func begin<Examples: DividedData>(_ title: String, _ dataset: Examples, _ recipe: Recipe) {
    begin(epochs: recipe.totalEpochs)
    guard !isSilent else { return }
    print(title.escapingControlCharacters())
    print("\(dataset.training.count) training \(Examples.examples), \(dataset.validation.count) for validation")
    noteShared(dataset)
  }

  private static func classes(of dataset: some DividedData) -> String {
    "\(dataset.labels.count) \(word(dataset.problem, dataset.labels.count)): "
      + dataset.labels.prefix(10).joined(separator: ", ")
      + (dataset.labels.count > 10 ? ", …" : "")
  }

  private static func word(_ problem: ProblemType, _ count: Int) -> String {
    switch problem {
    case .classes: "classes"
    case .multiLabel: count == 1 ? "label that holds or not" : "labels that each hold or not"
    case .regression: count == 1 ? "number" : "numbers"
    }
  }

  private func noteShared<Examples: DividedData>(_ dataset: Examples) {
    let (shared, what) = (dataset.sharedExamples, Examples.examples)
    guard let first = shared.first else { return }
    Terminal.note(
      "zoo: \(shared.count) of the validation \(what) are training \(what) too, which flatters the result: "
        + "\(first.validation) = \(first.training)".escapingControlCharacters())
  }

  private func noteImbalance(_ dataset: Dataset) {
    let counts = dataset.trainingCounts
    guard dataset.imbalance >= 3, let least = counts.indices.min(by: { counts[$0] < counts[$1] }),
      let most = counts.indices.max(by: { counts[$0] < counts[$1] })
    else { return }
    Terminal.note(
      "zoo: the \(dataset.problem == .classes ? "classes" : "labels") differ in size, from \(counts[least]) training pictures of \(dataset.labels[least]) to "
        + "\(counts[most]) of \(dataset.labels[most]); --class-weights lets rare ones count more")
  }

  func show(_ search: RateSearch, page: String) {
    clear()
    if display.json { return print(jsonLine(Rates(suggestion: search.suggestion, points: search.points, page: page))) }
    let words =
      search.suggestion.map { "--learning-rate \(String(format: "%.1e", $0))" } ?? "none: the loss never falls"
    print(words)
    if !display.quiet { print(page.escapingControlCharacters()) }
  }

  private struct Rates: Encodable {
    let suggestion: Double?
    let points: [RateSearch.Point]
    let page: String
  }

  func show(_ choice: AutomaticRecipe) {
    guard !isSilent else { return }
    print("--recipe \(choice.kind.rawValue): \(choice.reason)")
  }

  func begin(epochs: Int) { self.epochs = epochs }

  func show(_ event: TrainingEvent) {
    switch event {
    case .features(let done, let total): advance("frozen features", done, total)
    case .step(let epoch, let done, let total):
      advance("training", (epoch - 1) * total + done, epochs * total, note: "epoch \(epoch)")
    case .epoch(let record, let isBest): line(record, isBest: isBest)
    }
  }

  func finish(_ result: FineTuned) throws {
    clear()
    SkippedPictures(result.skipped).note()
    if display.json { return print(jsonLine(Summary(result))) }
    guard !display.quiet else { return }
    let took = "epoch \(result.bestEpoch), in \(Quantity.seconds(ContinuousClock.now - start))"
    let headline = result.findings.headline(examples: result.examples)
    print(Terminal.bold(headline.value) + headline.words + ", " + took)
    if !result.newlyInitialised.isEmpty {
      print("NEWLY INITIALISED: \(result.newlyInitialised.listedTensors)".escapingControlCharacters())
    }
    if result.parameters.learning < result.parameters.all { print("learnt \(result.parameters.words) parameters") }
    print("\(result.checkpoint), \(result.folder.log), \(result.folder.report)".escapingControlCharacters())
  }

  func clear() {
    bar?.finish()
    bar = nil
  }

  func advance(_ title: String, _ done: Int, _ total: Int, note: String = "") {
    if bar == nil || barTitle != title {
      clear()
      bar = Progress(title, total: total, quiet: isSilent)
      barTitle = title
    }
    bar?.update(done, note: note)
  }

  private func line(_ record: EpochRecord, isBest: Bool) {
    let every = max(1, (epochs + Self.lines - 1) / Self.lines)
    guard !isSilent, isBest || record.epoch % every == 0 || record.epoch == epochs else { return }
    clear()
    let digits = "\(epochs)".count
    let epoch = String(repeating: " ", count: digits - "\(record.epoch)".count) + "\(record.epoch)"
    func words(_ loss: Double, _ score: Double?) -> String {
      String(format: "loss %.4f", loss)
        + (score.map { "  \(record.metric.name) \(Quantity.score($0, record.metric, width: 5))" } ?? "")
    }
    print(
      "epoch \(epoch)/\(epochs)  \(words(record.trainingLoss, record.trainingScore))  validation: "
        + words(record.validationLoss, record.validationScore) + (isBest ? "  best" : ""))
  }

  private struct Summary: Encodable {
    let accuracy: Double?
    /// The best epoch's, and what it is.
    let score: Double
    let metric: String?
    /// Of validation.
    let loss: Double?
    let bestEpoch: Int
    let epochs: Int
    let checkpoint: String
    let parameters: ParameterCount
    let log: String
    let report: String
    let digest: String
    let skipped: [SkippedPicture]
    let newlyInitialised: [String]

    init(_ result: FineTuned) {
      score = result.score
      metric = result.best?.metric.name
      accuracy = result.best?.metric == .accuracy ? score : nil
      loss = result.best?.validationLoss
      bestEpoch = result.bestEpoch
      epochs = result.epochs.count
      checkpoint = result.checkpoint
      parameters = result.parameters
      log = result.folder.log
      report = result.folder.report
      digest = result.checkpointDigest
      skipped = result.skipped
      newlyInitialised = result.newlyInitialised
    }
  }
}
