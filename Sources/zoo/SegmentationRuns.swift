import ZooCheckpoint
import ZooGraph
import ZooInference
import ZooTraining

/// `zoo finetune` with a network that gives each pixel a class.
struct SegmentationFineTuningRun {
  let command: FinetuneCommand
  let view: FineTuningView
  let stop: StopRequest

  func run(_ data: String) throws {
    let network = try command.network(for: .imageSegmentation, data: data)
    guard !command.findRate else {
      throw UsageError(problem: "--find-rate looks for rates of networks with a class a picture alone")
    }
    let dataset = try SegmentationDataset(
      path: data, seed: command.learning.seed, head: command.head, split: command.split,
      progress: { view.advance("reading masks", $0, $1) })
    var tuning = SegmentationFineTuning(
      network: network, dataset: dataset,
      recipe: try command.learning.recipe(for: dataset, chosen: view.show(_:)),
      folder: command.output ?? command.defaultFolder(dataset.path))
    tuning.options = command.options
    if !dataset.absentLabels.isEmpty {
      tuning.warnings = ["No training pixel is of: " + dataset.absentLabels.joined(separator: ", ")]
    }
    view.begin(tuning)
    let result = try tuning.run(
      resume: command.resume, force: command.force, events: view.show, isInterrupted: stop.isAsked)
    try view.finish(result)
  }
}

/// `zoo evaluate` with such a network.
struct SegmentationEvaluationRun {
  let display: DisplayOptions
  let threads: Int?

  func run(_ model: LoadedModel, data: String) throws {
    let bar = LazyProgress(quiet: display.quiet)
    let evaluation = try SegmentationEvaluation(model, data: data, threads: threads, progress: bar.update)
    bar.finish()
    SkippedPictures(evaluation.skipped).note()
    if display.json { return print(jsonLine(Summary(evaluation))) }
    let confusion = evaluation.confusion
    print(
      "mean IoU \(Quantity.percent(evaluation.meanIntersectionOverUnion)), "
        + "\(Quantity.percent(evaluation.pixelAccuracy)) of the pixels right, \(evaluation.pictures) pictures, "
        + "loss \(Quantity.decimals(evaluation.loss, 4))")
    if display.quiet { return }
    var table = Table([
      .init(title: "CLASS", shrinks: true), .init(title: "PIXELS", alignment: .right),
      .init(title: "IOU", alignment: .right), .init(title: "PRECISION", alignment: .right),
      .init(title: "RECALL", alignment: .right),
    ])
    for (label, name) in confusion.labels.enumerated() {
      guard let overlap = confusion.intersectionOverUnion(label) else { continue }
      table.add(
        [name, "\(confusion.support(label))", Quantity.percent(overlap)]
          + [confusion.precision(label), confusion.recall(label)].map { $0.map(Quantity.percent) ?? "–" })
    }
    print(table.render())
  }

  private struct Summary: Encodable {
    let meanIntersectionOverUnion: Double
    let pixelAccuracy: Double
    /// nil where no pixel is or was taken for the class.
    let intersectionOverUnion: [String: Double?]
    let loss: Double
    let pictures: Int
    let confusion: ConfusionMatrix
    let skipped: [SkippedPicture]

    init(_ evaluation: SegmentationEvaluation) {
      let matrix = evaluation.confusion
      meanIntersectionOverUnion = evaluation.meanIntersectionOverUnion
      pixelAccuracy = evaluation.pixelAccuracy
      intersectionOverUnion = Dictionary(
        matrix.labels.enumerated().map { ($1, matrix.intersectionOverUnion($0)) },
        uniquingKeysWith: { first, _ in first })
      loss = evaluation.loss
      pictures = evaluation.pictures
      confusion = matrix
      skipped = evaluation.skipped
    }
  }
}
