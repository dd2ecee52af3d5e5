import ZooEngine
import ZooVision

/// What a run's phases learn from, made once each cut needs it.
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
  func data(_ part: TargetNetwork.Part) throws -> PreparedData {
    if let latest, latest.stage == part.cut.stage { return latest.data }
    let (dataset, recipe) = (tuning.dataset, tuning.recipe)
    let views: [FrozenFeatures.View?] = (0..<recipe.views).map {
      .init(augmentation: recipe.augmentation, seed: recipe.seed, index: $0)
    }
    // Logistic regression takes its scale from pictures as they are.
    let isLeftForLater = recipe.makesPicturesAnew && !part.isLogisticRegression
    let total = dataset.training.count * max(views.count, 1) + dataset.validation.count
    var done = 0
    var training: [FrozenFeatures.Result] = []
    for view in views.isEmpty ? [nil] : views {
      let frozen = try frozen(part, view)
      let all = dataset.training
      training.append(
        try finished(
          isLeftForLater
            ? frozen.check(all) { tell(done + $0, total) } : frozen.compute(all) { tell(done + $0, total) }))
      done += all.count
    }
    let validation = try finished(try frozen(part, nil).compute(dataset.validation) { tell(done + $0, total) })
    let data = try PreparedData(training: training, validation: validation, of: dataset)
    latest = (part.cut.stage, data)
    return data
  }

  private func frozen(_ part: TargetNetwork.Part, _ view: FrozenFeatures.View?) throws -> FrozenFeatures {
    try FrozenFeatures(
      network: tuning.network, graph: part.cut.frozen, stage: part.cut.stage, view: view,
      cacheFolder: tuning.cacheFolder, options: CompileOptions(threads: tuning.options.threads))
  }

  private func tell(_ done: Int, _ total: Int) -> Bool {
    events(.features(done: done, total: total))
    return isInterrupted()
  }

  private func finished(_ result: FrozenFeatures.Result?) throws -> FrozenFeatures.Result {
    guard let result else { throw StoppedEarly() }
    return result
  }

  func batches(_ part: TargetNetwork.Part, epoch: Int) throws -> [[Int]] {
    let recipe = tuning.recipe
    return EpochBatches.shuffled(
      count: try data(part).training.examples.count, size: recipe.batchSize, seed: recipe.seed)(epoch)
  }

  /// - Throws: `EngineError`, ``TrainingError``, `PictureError`.
  func source(_ part: TargetNetwork.Part, loss: any Objective) throws -> any ExampleSource {
    let (data, recipe, network) = (try data(part), tuning.recipe, tuning.network)
    let targets = TargetRows(data.training.examples, loss)
    guard recipe.makesPicturesAnew else {
      return FixedFeatures(views: data.views, targets: targets, mixing: recipe.mixing)
    }
    return AugmentedPictures(
      examples: data.training.examples,
      augmenter: try Augmenter(recipe.augmentation, preprocessing: network.preprocessing), frozen: part.cut.frozen,
      weights: try network.weights(for: part.cut.frozen), shape: data.shape, targets: targets, mixing: recipe.mixing,
      threads: tuning.options.threads)
  }
}
