import ZooCheckpoint
import ZooEngine
import ZooVision

/// Writes what a finished run on pictures and masks leaves: the checkpoint and the report.
struct SegmentationRunResult {
  private let tuning: SegmentationFineTuning
  private let target: TargetNetwork
  private let learning: ParameterGroups
  private let run: FinishedRun<SegmentationDataset>

  private static let picturesShown = 12

  /// - Parameter weights: of the whole network, at the best epoch.
  /// - Throws: `EngineError`, `GraphError`, ``TrainingError``.
  init(
    tuning: SegmentationFineTuning, target: TargetNetwork, learning: ParameterGroups, trained: TrainedRun,
    judge: PixelJudge, weights: Weights
  ) throws {
    (self.tuning, self.target, self.learning) = (tuning, target, learning)
    var worst: [JudgedPixels.Shown] = []
    let outcome = try judge.judge(
      weights,
      each: { judged in
        worst.append(JudgedPixels.Shown(judged, name: tuning.dataset.validation[judged.place].name))
        worst.sort { $0.meanIoU < $1.meanIoU }
        worst = Array(worst.prefix(Self.picturesShown))
      })
    let (network, dataset) = (tuning.network, tuning.dataset)
    run = FinishedRun(
      model: (network.name, network.path, network.digest), dataset: dataset, source: dataset.path,
      counts: (dataset.training.count, dataset.validation.count), recipe: tuning.recipe, folder: tuning.folder,
      trained: trained, findings: JudgedPixels(confusion: outcome.confusion, worst: worst),
      newlyInitialised: tuning.recipe.newlyInitialised(head: target.newlyInitialised, in: target.graph),
      parameters: learning.count(in: target.graph))
  }

  func write() throws -> FineTuned {
    let written = try writeCheckpoint()
    try HTMLReport(content(written)).write(to: tuning.folder.report)
    var result = run.result(written)
    result.skipped = tuning.dataset.skipped
    return result
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    var stateDict = tuning.network.stateDict
    let learnt = try learning.lowRank.merged(run.trained.best) { try stateDict[$0].map(FloatTensor.init) }
    for (name, tensor) in learnt.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
    var metadata = CheckpointMetadata()
    metadata.model = tuning.network.name
    metadata.config = target.description.json
    metadata.labels = tuning.dataset.labels
    let isOwn = tuning.preprocessing == tuning.network.preprocessing
    metadata.input = isOwn ? tuning.network.input : CheckpointMetadata.encode(tuning.preprocessing)
    metadata.newlyInitialised = run.newlyInitialised
    metadata.training = CheckpointMetadata.encode(run.record())
    return try tuning.folder.write(stateDict, metadata)
  }

  private func content(_ written: WrittenCheckpoint) -> ReportContent {
    let recipe = tuning.recipe
    let side = tuning.trainingPreprocessing.size
    var content = run.report(
      written, title: "", command: tuning.options.command,
      facts: [
        ("What learnt", recipe.whatLearns),
        ("Pictures learnt from", "\(side[1]) × \(side[0]) pixels"),
        (
          "Changes of pictures",
          recipe.augmentation.isIdentity ? "none" : CheckpointMetadata.encode(recipe.augmentation)
        ),
      ], mistakes: [], warnings: tuning.warnings)
    content.skipped = tuning.dataset.skipped
    return content
  }
}
