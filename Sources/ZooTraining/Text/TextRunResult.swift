import ZooCheckpoint

/// Writes what a finished run on texts leaves: the checkpoint and the report.
struct TextRunResult {
  private let tuning: TextFineTuning
  /// nil where texts have no classes.
  private let judged: JudgedExamples?
  private let learning: ParameterGroups
  private let run: FinishedRun<TextDataset>

  private static let mistakesShown = 12
  private static let charactersShown = 200

  /// - Parameters:
  ///   - learning: what learnt in the last phase.
  ///   - logits: of the validation's texts; empty where they have no classes.
  init(tuning: TextFineTuning, learning: ParameterGroups, trained: TrainedRun, logits: [[Float]]) {
    self.tuning = tuning
    self.learning = learning
    let (network, dataset) = (tuning.network, tuning.dataset)
    judged =
      dataset.purpose == .classes
      ? JudgedExamples(logits: logits, truths: dataset.validation.map(\.label), labels: dataset.labels) : nil
    run = FinishedRun(
      model: (network.model.name ?? network.description.family, network.model.path, network.digest), dataset: dataset,
      source: dataset.path, counts: (dataset.training.count, dataset.validation.count), recipe: tuning.recipe,
      folder: tuning.folder, trained: trained,
      findings: judged ?? JudgedTokens(best: trained.bestRecord),
      newlyInitialised: tuning.recipe.newlyInitialised(head: network.newlyInitialised, in: network.graph),
      parameters: learning.count(in: network.graph))
  }

  func write() throws -> FineTuned {
    let written = try writeCheckpoint()
    var content = run.report(written, title: "", command: tuning.options.command, facts: [], mistakes: mistakes)
    if tuning.dataset.purpose != .classes { content.examples = "tokens" }
    try HTMLReport(content).write(to: tuning.folder.report)
    return run.result(written)
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    let network = tuning.network
    if tuning.recipe.lowRank?.isKeptApart == true {
      let adapter = AdapterWriter(
        graph: network.graph, learning: learning, recipe: tuning.recipe, task: network.purpose.adapterTask)
      return try adapter.write(run.trained.best, metadata: metadata, to: tuning.folder)
    }
    var stateDict = try network.pretrained()
    let learnt = try learning.lowRank.merged(run.trained.best) { try stateDict[$0].map(FloatTensor.init) }
    for (name, tensor) in learnt.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
    try stateDict.restoreAliases(network.graph.aliases)
    var all = metadata
    all.tokenizer = network.model.metadata.tokenizer
    return try tuning.folder.write(stateDict, all)
  }

  private var metadata: CheckpointMetadata {
    let network = tuning.network
    var metadata = CheckpointMetadata()
    metadata.model = run.model.name
    metadata.config = network.description.json
    metadata.labels = tuning.dataset.labels.isEmpty ? nil : tuning.dataset.labels
    metadata.input = network.model.metadata.input
    metadata.newlyInitialised = run.newlyInitialised
    metadata.training = CheckpointMetadata.encode(run.record(purpose: tuning.dataset.purpose))
    return metadata
  }

  private var mistakes: [ReportContent.Mistake] {
    let dataset = tuning.dataset
    return (judged?.mistakes ?? []).prefix(Self.mistakesShown).map { mistake in
      let example = dataset.validation[mistake.place]
      let (text, most) = (example.text, Self.charactersShown)
      return ReportContent.Mistake(
        name: "\(example.name): " + (text.count > most ? text.prefix(most) + "…" : text),
        truth: mistake.truth, prediction: mistake.prediction,
        confidence: mistake.confidence, thumbnail: nil)
    }
  }
}
