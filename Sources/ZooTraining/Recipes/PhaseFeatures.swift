import ZooEngine

/// The features that a run's phases learn from, computed once each cut needs them.
final class PhaseFeatures {
  private let tuning: FineTuning
  private let events: (TrainingEvent) -> Void
  private let isInterrupted: () -> Bool
  private var latest: (stage: Int, data: PreparedData)?

  init(tuning: FineTuning, events: @escaping (TrainingEvent) -> Void, isInterrupted: @escaping () -> Bool) {
    self.tuning = tuning
    self.events = events
    self.isInterrupted = isInterrupted
  }

  /// - Throws: ``StoppedEarly``, ``DataError``, `EngineError`, `GraphError`.
  func data(_ cut: NetworkCut) throws -> PreparedData {
    if let latest, latest.stage == cut.stage { return latest.data }
    let dataset = tuning.dataset
    let frozen = try FrozenFeatures(
      network: tuning.network, graph: cut.frozen, stage: cut.stage, cacheFolder: tuning.cacheFolder,
      options: CompileOptions(threads: tuning.threads))
    let all = dataset.training + dataset.validation
    let computed = try frozen.compute(all) { done in
      events(.features(done: done, total: all.count))
      return isInterrupted()
    }
    guard let computed else { throw StoppedEarly() }
    let data = try PreparedData(computed, of: dataset)
    latest = (cut.stage, data)
    return data
  }

  func batches(_ cut: NetworkCut, epoch: Int) throws -> [[Int]] {
    let recipe = tuning.recipe
    return EpochBatches.shuffled(
      count: try data(cut).training.examples.count, size: recipe.batchSize, seed: recipe.seed)(epoch)
  }
}
