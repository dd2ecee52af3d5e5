import ZooCheckpoint

/// Writes what a finished run on texts leaves: the checkpoint and the report.
struct TextRunResult {
  private let tuning: TextFineTuning
  /// nil where texts have no classes.
  private let judged: JudgedExamples?
  private let run: FinishedRun<TextDataset>

  private static let mistakesShown = 12
  private static let charactersShown = 200

  /// - Parameter logits: of the validation's texts; empty where they have no classes.
  init(tuning: TextFineTuning, trained: TrainedRun, logits: [[Float]]) {
    self.tuning = tuning
    let (network, dataset) = (tuning.network, tuning.dataset)
    judged =
      dataset.purpose == .classes
      ? JudgedExamples(logits: logits, truths: dataset.validation.map(\.label), labels: dataset.labels) : nil
    run = FinishedRun(
      model: (network.model.name ?? network.description.family, network.model.path, network.digest), dataset: dataset,
      source: dataset.path, counts: (dataset.training.count, dataset.validation.count), recipe: tuning.recipe,
      folder: tuning.folder, trained: trained,
      findings: judged ?? JudgedTokens(best: trained.bestRecord),
      newlyInitialised: network.newlyInitialised)
  }

  func write() throws -> FineTuned {
    let written = try writeCheckpoint()
    var content = run.report(written, title: "", command: tuning.command, facts: [], mistakes: mistakes)
    if tuning.dataset.purpose != .classes { content.examples = "tokens" }
    try HTMLReport(content).write(to: tuning.folder.report)
    return run.result(written)
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    let network = tuning.network
    var stateDict = try network.pretrained()
    for (name, tensor) in run.trained.best.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
    try stateDict.restoreAliases(network.graph.aliases)
    var metadata = CheckpointMetadata()
    metadata.model = run.model.name
    metadata.config = network.description.json
    metadata.labels = tuning.dataset.labels.isEmpty ? nil : tuning.dataset.labels
    metadata.input = network.model.metadata.input
    metadata.tokenizer = network.model.metadata.tokenizer
    metadata.newlyInitialised = network.newlyInitialised
    metadata.training = CheckpointMetadata.encode(run.record(purpose: tuning.dataset.purpose))
    return try CheckpointWriter.write(stateDict, metadata: metadata, to: tuning.folder.model, overwrite: true)
  }

  private var mistakes: [ReportContent.Mistake] {
    let dataset = tuning.dataset
    return (judged?.mistakes ?? []).prefix(Self.mistakesShown).map { mistake in
      let example = dataset.validation[mistake.place]
      let (text, most) = (example.text, Self.charactersShown)
      return ReportContent.Mistake(
        name: "\(example.name): " + (text.count > most ? text.prefix(most) + "…" : text),
        truth: dataset.labels[example.label], prediction: dataset.labels[mistake.prediction],
        confidence: mistake.confidence, thumbnail: nil)
    }
  }
}
