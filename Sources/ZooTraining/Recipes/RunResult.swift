import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooVision

/// Writes what a finished run leaves: the checkpoint and the report.
struct RunResult {
  let tuning: FineTuning
  let target: TargetNetwork
  let part: TargetNetwork.Part
  let data: PreparedData
  let trained: TrainedRun

  private var position: RunState.Position { trained.position }

  private static let mistakesShown = 12
  private static let thumbnailSide = 160

  func write() throws -> FineTuned {
    let weights = try StartingWeights(network: tuning.network, part: part, recipe: tuning.recipe)
      .make(learnt: trained.best)
    let logits = try FeatureNetwork(
      part.cut.trainable, weights: weights, shape: data.shape, threads: tuning.threads
    ).logits(data.validation.features)
    var confusion = ConfusionMatrix(labels: tuning.dataset.labels)
    for (row, truth) in zip(logits, data.validation.labels) {
      confusion.add(truth: truth, prediction: SoftmaxLoss.highest(row))
    }
    let written = try writeCheckpoint()
    let new = target.newlyInitialised
    let report = HTMLReport(content(logits, confusion, written, newlyInitialised: new)).html()
    let file = try AtomicFile(path: tuning.folder.report, overwrite: true)
    try file.write(report)
    try file.commit()
    return FineTuned(
      folder: tuning.folder, checkpointDigest: written.digest, epochs: position.records,
      bestEpoch: position.bestEpoch, confusion: confusion, skipped: data.skipped, cached: data.cached,
      newlyInitialised: new)
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    var stateDict = tuning.network.stateDict
    for name in target.replaced { stateDict[name] = nil }
    for (name, tensor) in trained.best.sorted(by: { $0.key < $1.key }) {
      stateDict[name] = try tensor.stored()
    }
    var metadata = CheckpointMetadata()
    metadata.model = tuning.network.name
    metadata.config = target.description.json
    metadata.labels = tuning.dataset.labels
    metadata.input = tuning.network.input
    metadata.newlyInitialised = target.newlyInitialised
    metadata.training = CheckpointMetadata.encode(
      TrainingRecord(
        position, recipe: tuning.recipe, parent: .init(model: tuning.network.name, digest: tuning.network.digest),
        training: data.training.examples.count, validation: data.validation.examples.count))
    return try CheckpointWriter.write(stateDict, metadata: metadata, to: tuning.folder.model, overwrite: true)
  }

  private func content(
    _ logits: [[Float]], _ confusion: ConfusionMatrix, _ written: WrittenCheckpoint, newlyInitialised: [String]
  ) -> ReportContent {
    let recipe = tuning.recipe
    let shared = tuning.dataset.sharedPictures
    var warnings = tuning.warnings
    if !shared.isEmpty {
      let names = shared.prefix(5).map { "\($0.validation) = \($0.training)" }.joined(separator: ", ")
      warnings.append(
        "\(shared.count) validation pictures are also training pictures, which flatters the accuracy: \(names)"
          + (shared.count > 5 ? ", …" : ""))
    }
    var content = ReportContent(
      title: tuning.title.isEmpty ? "Fine-tuning \(tuning.network.name)" : tuning.title,
      command: tuning.command,
      facts: [
        ("Model", tuning.network.name), ("Weights", tuning.network.path), ("Weights' digest", tuning.network.digest),
        ("Data", tuning.dataset.folder),
        ("Pictures", "\(data.training.examples.count) training, \(data.validation.examples.count) validation"),
        ("Classes", "\(tuning.dataset.labels.count)"), ("Recipe", recipe.kind.rawValue),
        ("What learnt", recipe.whatLearns),
        ("NEWLY INITIALISED", newlyInitialised.joined(separator: ", ")),
        ("Epochs", "\(recipe.epochs), of \(recipe.batchSize) pictures a step"),
        (
          "Optimizer",
          "\(recipe.optimizer.rawValue), learning rate \(recipe.learningRate), weight decay \(recipe.weightDecay)"
        ),
        ("Seed", "\(recipe.seed)"), ("Changes of pictures", changes(recipe)), ("Program", "zoo \(ZooVersion.current)"),
        ("Result", tuning.folder.model), ("Result's digest", written.digest),
      ],
      epochs: position.records, bestEpoch: position.bestEpoch, confusion: confusion, mistakes: mistakes(logits),
      skipped: data.skipped, warnings: warnings)
    content.calibration = calibration(logits)
    content.timing = trained.timing
    let alike = NearDuplicates.find(training: data.training.examples, validation: data.validation.examples)
    content.nearDuplicateCount = alike.count
    content.nearDuplicates = alike.prefix(Self.mistakesShown).map { pair in
      .init(
        validation: pair.validation.name, training: pair.training.name,
        thumbnails: [pair.validation, pair.training].compactMap { Self.thumbnail($0.path) })
    }
    return content
  }

  private func changes(_ recipe: Recipe) -> String {
    var changes = recipe.augmentation.isIdentity ? [] : [CheckpointMetadata.encode(recipe.augmentation)]
    if recipe.views > 0 { changes.append("\(recipe.views) views") }
    if recipe.mixup > 0 { changes.append("mixup \(recipe.mixup)") }
    if recipe.cutmix > 0 { changes.append("cutmix \(recipe.cutmix)") }
    return changes.isEmpty ? "none" : changes.joined(separator: ", ")
  }

  private func calibration(_ logits: [[Float]]) -> Calibration {
    var calibration = Calibration()
    for (row, truth) in zip(logits, data.validation.labels) {
      let prediction = SoftmaxLoss.highest(row)
      calibration.add(
        confidence: Double(SoftmaxLoss.probabilities(row)[prediction]), isRight: prediction == truth)
    }
    return calibration
  }

  private func mistakes(_ logits: [[Float]]) -> [ReportContent.Mistake] {
    let labels = tuning.dataset.labels
    var found: [(example: Example, prediction: Int, confidence: Double)] = []
    for (row, example) in zip(logits, data.validation.examples) {
      let prediction = SoftmaxLoss.highest(row)
      guard prediction != example.label else { continue }
      found.append((example, prediction, Double(SoftmaxLoss.probabilities(row)[prediction])))
    }
    return found.sorted { $0.confidence > $1.confidence }.prefix(Self.mistakesShown).map { mistake in
      ReportContent.Mistake(
        name: mistake.example.name, truth: labels[mistake.example.label], prediction: labels[mistake.prediction],
        confidence: mistake.confidence, thumbnail: Self.thumbnail(mistake.example.path))
    }
  }

  private static func thumbnail(_ path: String) -> Picture? {
    guard let picture = try? Picture.decode(path: path) else { return nil }
    let longest = max(picture.width, picture.height)
    guard longest > thumbnailSide else { return picture }
    return picture.resized(
      width: max(1, picture.width * thumbnailSide / longest), height: max(1, picture.height * thumbnailSide / longest),
      filter: .bicubic)
  }
}
