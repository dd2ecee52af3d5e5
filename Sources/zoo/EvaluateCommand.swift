import ArgumentParser
import ZooCheckpoint
import ZooInference
import ZooTraining

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Say how well a classifier does on labelled pictures.",
    discussion: "The folder holds one folder a class; where it is divided into train and val, val counts.")

  @Argument(help: "A checkpoint, any weight file of a known model, or the name of a model in the store.")
  var model: String
  @Option(help: "A folder with one folder of pictures a class.", completion: .directory)
  var data: String
  @Option(help: "Threads to run on; default: one a core.")
  var threads: Int?
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
  }

  func run() throws {
    let loaded = try LoadedModel.find(display.local(model), catalog: display.catalog())
    var bar: Progress?
    let evaluation = try Evaluation(loaded, folder: data, threads: threads) { done, total in
      if bar == nil { bar = Progress("evaluating", total: total, quiet: display.quiet) }
      bar?.update(done)
    }
    bar?.finish()
    SkippedPictures(evaluation.skipped).note()
    if display.json { return print(jsonLine(Summary(evaluation))) }
    let confusion = evaluation.confusion
    print(
      "\(Quantity.percent(evaluation.accuracy)) right: \(confusion.correct) of \(confusion.total) pictures"
        + (evaluation.topFive.map { ", \(Quantity.percent($0)) among the first five" } ?? "")
        + ", loss \(Quantity.decimals(evaluation.loss, 4))")
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

  private struct Summary: Encodable {
    let accuracy: Double
    let topFive: Double?
    let loss: Double
    let pictures: Int
    let confusion: ConfusionMatrix
    let skipped: [SkippedPicture]

    init(_ evaluation: Evaluation) {
      accuracy = evaluation.accuracy
      topFive = evaluation.topFive
      loss = evaluation.loss
      pictures = evaluation.confusion.total
      confusion = evaluation.confusion
      skipped = evaluation.skipped
    }
  }
}
