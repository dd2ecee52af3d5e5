import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooInference
import ZooTraining

/// Flags of fine-tuning on texts.
struct TextDataOptions: ParsableArguments {
  @Option(
    help:
      "Tokens kept of a text; default: all that the model takes, up to 512. Of a .txt file the tokens of a block; default 128."
  )
  var maxLength: Int?
  @Option(help: "The column of texts; default text, input or sentence.")
  var textColumn: String?
  @Option(help: "The column of second texts, for models that read pairs.")
  var pairColumn: String?
  @Option(
    help:
      "The column of classes, labels or answers; default label, target or output, of pictures label, class or labels.")
  var labelColumn: String?

  var columns: TextColumns { TextColumns(text: textColumn, pair: pairColumn, target: labelColumn) }
}

/// `zoo finetune` with a text model.
struct TextFineTuningRun {
  let command: FinetuneCommand
  let view: FineTuningView
  let stop: StopRequest

  func run(_ model: TextModel, data: String) throws {
    try command.pictures.checkForTexts()
    guard !command.findRate else { throw UsageError(problem: "--find-rate looks for rates of pictures alone") }
    let dataset = try TextDataset(
      path: data, columns: command.texts.columns, seed: command.learning.seed, head: command.head,
      purpose: { PretrainedText.purpose(of: model.task, hasTargets: $0) })
    var tuning = TextFineTuning(
      network: try PretrainedText(model, purpose: dataset.purpose, labels: dataset.labels), dataset: dataset,
      recipe: try command.learning.recipe(for: dataset, chosen: view.show(_:)),
      folder: command.output ?? command.defaultFolder((dataset.path as NSString).deletingPathExtension))
    tuning.maximumLength = command.texts.maxLength
    tuning.options = command.options
    view.begin(tuning)
    let result = try tuning.run(
      resume: command.resume, force: command.force, events: view.show, isInterrupted: stop.isAsked)
    try view.finish(result)
  }
}
