import ZooCheckpoint
import ZooEngine
import ZooVision

/// Writes what a finished run on pictures leaves: the checkpoint and the report.
struct RunResult {
  private let tuning: FineTuning
  private let target: TargetNetwork
  private let learning: ParameterGroups
  private let data: PreparedData
  private let judged: any ExampleFindings
  private let lossName: String
  /// What was learnt, in the outputs' own units.
  private let learnt: Weights
  private let run: FinishedRun<Dataset>

  private static let mistakesShown = 12
  private static let thumbnailSide = 160

  /// - Parameter part: what learnt in the last phase.
  /// - Throws: `EngineError`, `GraphError`, `FileError`.
  init(
    tuning: FineTuning, target: TargetNetwork, part: TargetNetwork.Part, data: PreparedData, trained: TrainedRun
  ) throws {
    (self.tuning, self.target, self.data, learning) = (tuning, target, data, part.parameters)
    let (network, dataset) = (tuning.network, tuning.dataset)
    let objective = try tuning.recipe.objective(for: dataset, data.training.examples)
    lossName = objective.lossName
    learnt = try objective.scale?.folded(into: trained.best, part.cut) ?? trained.best
    let weights = try StartingWeights(network: network, part: part, recipe: tuning.recipe).make(learnt: learnt)
    let logits = try FeatureNetwork(
      part.cut.trainable, weights: weights, shape: data.shape, threads: tuning.options.threads
    ).logits(data.validation.features)
    judged = Self.findings(logits, data.validation.examples, dataset)
    run = FinishedRun(
      model: (network.name, network.path, network.digest), dataset: dataset, source: dataset.folder,
      counts: (data.training.examples.count, data.validation.examples.count), recipe: tuning.recipe,
      folder: tuning.folder, trained: trained,
      findings: judged,
      newlyInitialised: tuning.recipe.newlyInitialised(head: target.newlyInitialised, in: target.graph),
      parameters: learning.count(in: target.graph))
  }

  private static func findings(
    _ outputs: [[Float]], _ examples: [Example], _ dataset: Dataset
  ) -> any ExampleFindings {
    let labels = dataset.labels
    return switch dataset.problem {
    case .classes: JudgedExamples(logits: outputs, truths: examples.map(\.label), labels: labels)
    case .multiLabel: JudgedLabels(logits: outputs, truths: examples.map(\.labels), labels: labels)
    case .regression:
      JudgedValues(predictions: outputs.map { $0.map(Double.init) }, truths: examples.map(\.values), names: labels)
    }
  }

  func write() throws -> FineTuned {
    let written = try writeCheckpoint()
    try HTMLReport(content(written)).write(to: tuning.folder.report)
    var result = run.result(written)
    result.skipped = data.skipped
    result.cached = data.cached
    return result
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    if tuning.recipe.lowRank?.isKeptApart == true {
      let adapter = AdapterWriter(graph: target.graph, learning: learning, recipe: tuning.recipe, task: nil)
      return try adapter.write(learnt, metadata: metadata, to: tuning.folder)
    }
    var stateDict = tuning.network.stateDict
    for name in target.replaced { stateDict[name] = nil }
    let merged = try learning.lowRank.merged(learnt) { try stateDict[$0].map(FloatTensor.init) }
    for (name, tensor) in merged.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
    return try tuning.folder.write(stateDict, metadata)
  }

  private var metadata: CheckpointMetadata {
    var metadata = CheckpointMetadata()
    metadata.model = tuning.network.name
    metadata.config = target.description.json
    metadata.labels = tuning.dataset.labels
    metadata.problem = tuning.dataset.problem
    metadata.input = tuning.network.input
    metadata.newlyInitialised = run.newlyInitialised
    metadata.training = CheckpointMetadata.encode(run.record())
    return metadata
  }

  private func content(_ written: WrittenCheckpoint) -> ReportContent {
    let recipe = tuning.recipe
    var content = run.report(
      written, title: tuning.title, command: tuning.options.command,
      facts: [("What learnt", recipe.whatLearns), ("Changes of pictures", changes(recipe))], mistakes: mistakes,
      warnings: tuning.warnings)
    content.loss = lossName
    content.skipped = data.skipped
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

  private var mistakes: [ReportContent.Mistake] {
    judged.mistakes.prefix(Self.mistakesShown).map { mistake in
      let example = data.validation.examples[mistake.place]
      return ReportContent.Mistake(
        name: example.name, truth: mistake.truth, prediction: mistake.prediction, confidence: mistake.confidence,
        thumbnail: Self.thumbnail(example.path))
    }
  }

  private static func thumbnail(_ path: String) -> Picture? {
    (try? Picture.decode(path: path))?.thumbnail(thumbnailSide)
  }
}
