import ArgumentParser
import ZooCheckpoint
import ZooInference
import ZooTraining

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Say how well a classifier does on labelled pictures.",
    discussion: """
      The folder holds one folder a class; where it is divided into train and val, val counts. ImageNet's own folders \
      (n01440764, ...) are known. Shares come with the range that holds them with 95 % confidence (Wilson), and with the \
      expected calibration error: how far the network's certainty is from how often it is right.

      A multi-label network is judged by a table with a column labels, or one of 0 and 1 for each of its labels: mean \
      average precision, F1 and exact matches. A regression network by a table with its columns of numbers: RMSE, MAE, R².

      A network that gives each pixel a class is judged by pictures with masks, as zoo finetune --help describes them: \
      mean IoU (intersection over union) over the classes, and how many pixels are right.
      """)

  @Argument(help: "A checkpoint, any weight file of a known model, or the name of a model in the store.")
  var model: String
  @Option(
    help: "A folder with one folder of pictures a class, or a table with columns path and label.", completion: .file())
  var data: String
  @Flag(help: "Judge each picture together with its mirror image (test-time augmentation).")
  var tta = false
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }

  func run() throws {
    let catalog = try display.catalog()
    let loaded = try LoadedModel.find(display.local(model), catalog: catalog)
    if loaded.task == .imageSegmentation {
      guard !tta else { throw UsageError(problem: "--tta is for networks with a class a picture") }
      return try SegmentationEvaluationRun(display: display, threads: threads).run(loaded, data: data)
    }
    guard !SegmentationDataset.mayStand(at: data) else { return try loaded.require(.imageSegmentation) }
    let bar = LazyProgress(quiet: display.quiet)
    switch loaded.problem {
    case .classes: break
    case .multiLabel:
      let evaluation = try LabelEvaluation(
        loaded, table: data, mirrors: tta, threads: threads, progress: bar.update)
      bar.finish()
      return EvaluationText(display: display).show(evaluation)
    case .regression:
      let evaluation = try ValueEvaluation(
        loaded, table: data, mirrors: tta, threads: threads, progress: bar.update)
      bar.finish()
      return EvaluationText(display: display).show(evaluation)
    }
    let names = try catalog.folderNames(forLabels: loaded.labels)
    let evaluation = try Evaluation(
      loaded, folder: data, folderNames: names, mirrors: tta, threads: threads, progress: bar.update)
    bar.finish()
    SkippedPictures(evaluation.skipped).note()
    if display.json { return print(jsonLine(Summary(evaluation))) }
    let confusion = evaluation.confusion
    print(
      "\(Self.words(evaluation.topOne)) right: \(confusion.correct) of \(confusion.total) pictures"
        + (evaluation.topFive.map { ", \(Self.words($0)) among the first five" } ?? "")
        + ", loss \(Quantity.decimals(evaluation.loss, 4))"
        + ", calibration error \(Quantity.percent(evaluation.calibration.error))")
    if display.quiet { return }
    var table = Table([
      .init(title: "CLASS", shrinks: true), .init(title: "PICTURES", alignment: .right),
      .init(title: "PRECISION", alignment: .right), .init(title: "RECALL", alignment: .right),
    ])
    for (label, name) in confusion.labels.enumerated() where confusion.support(label) > 0 {
      table.add([
        name, "\(confusion.support(label))", confusion.precision(label).map(Quantity.percent) ?? "–",
        confusion.recall(label).map(Quantity.percent) ?? "–",
      ])
    }
    print(table.render())
  }

  static func words(_ share: Proportion) -> String {
    "\(Quantity.percent(share.share)) (\(Quantity.percent(share.low)) to \(Quantity.percent(share.high)))"
  }

  private struct Summary: Encodable {
    let accuracy: Double
    let topOne: Proportion
    let topFive: Proportion?
    let loss: Double
    let calibrationError: Double
    let calibration: Calibration
    let pictures: Int
    let confusion: ConfusionMatrix
    let skipped: [SkippedPicture]

    init(_ evaluation: Evaluation) {
      accuracy = evaluation.accuracy
      topOne = evaluation.topOne
      topFive = evaluation.topFive
      calibrationError = evaluation.calibration.error
      calibration = evaluation.calibration
      loss = evaluation.loss
      pictures = evaluation.confusion.total
      confusion = evaluation.confusion
      skipped = evaluation.skipped
    }
  }
}
