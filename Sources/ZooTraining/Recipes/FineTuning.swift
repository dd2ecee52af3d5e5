import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Fits a pretrained network to new classes: a new last layer on frozen features, and more of it on demand.
///
/// The epoch of the highest validation accuracy is kept; of several, the one with the lowest validation loss.
public struct FineTuning {
  public enum Event: Sendable {
    case features(done: Int, total: Int)
    case step(epoch: Int, done: Int, total: Int)
    case epoch(EpochRecord, isBest: Bool)
  }

  public let network: PretrainedNetwork
  public let dataset: Dataset
  public let recipe: Recipe
  public let folder: RunFolder
  /// Shown in the report.
  public var command = ""
  public var title = ""
  public var threads: Int?
  /// Where features are kept between runs; nil keeps none.
  public var cacheFolder: String? = FeatureCache.folder()
  /// Sentences for the top of the report.
  public var warnings: [String] = []

  public init(network: PretrainedNetwork, dataset: Dataset, recipe: Recipe, folder: String) {
    self.network = network
    self.dataset = dataset
    self.recipe = recipe
    self.folder = RunFolder(path: folder)
  }

  /// Trains, and writes the checkpoint, the log and the report.
  ///
  /// - Parameters:
  ///   - resume: goes on with the interrupted run in the folder, to the same result bit for bit.
  ///   - force: replaces a run in the folder.
  ///   - isInterrupted: asked after every step; true saves everything and throws ``TrainingError/interrupted(folder:epoch:epochs:)``.
  /// - Throws: ``TrainingError``, ``DataError``, `EngineError`, `GraphError`, `FileError`.
  public func run(
    resume: Bool = false, force: Bool = false, events: (Event) -> Void = { _ in },
    isInterrupted: () -> Bool = { false }
  ) throws -> FineTuned {
    var description = network.description
    description.classes = dataset.labels.count
    let cut = try NetworkCut(description.graph(), unfrozen: recipe.unfreeze, model: network.path)
    try folder.prepare(resume: resume, force: force)
    var state = try initialState(resume: resume)
    guard let data = try features(cut, events: events, isInterrupted: isInterrupted) else {
      if !resume { try state.write(to: folder.state) }
      throw TrainingError.interrupted(folder: folder.path, epoch: state.position.epoch, epochs: recipe.epochs)
    }
    let learner = try learner(cut, data)
    if !state.learner.isEmpty { try learner.restore(state.learner) }
    let log = try TrainingLog(path: folder.log, continuing: state.position.records)
    try train(learner, data, &state, log: log, events: events, isInterrupted: isInterrupted)
    try learner.restore(state.best)
    let result = try RunResult(tuning: self, description: description, data: data, position: state.position)
      .write(learner)
    unlink(folder.state)
    return result
  }

  private func initialState(resume: Bool) throws -> RunState {
    let data = (dataset.training + dataset.validation).map { "\($0.name) \($0.digest ?? "")" }
    let identity = RunState.Identity(
      recipe: recipe, model: network.digest, data: Digest.sha256(of: data.joined(separator: "\n")))
    guard resume else { return RunState(position: .init(identity: identity)) }
    let state = try RunState.read(from: folder.state)
    try state.check(identity, folder: folder.path)
    return state
  }

  /// nil where interrupted.
  private func features(
    _ cut: NetworkCut, events: (Event) -> Void, isInterrupted: () -> Bool
  ) throws -> PreparedData? {
    let frozen = try FrozenFeatures(
      network: network, graph: cut.frozen, stage: cut.stage, cacheFolder: cacheFolder,
      options: CompileOptions(threads: threads))
    let all = dataset.training + dataset.validation
    let computed = try frozen.compute(all) { done in
      events(.features(done: done, total: all.count))
      return isInterrupted()
    }
    return try computed.map { try PreparedData($0, of: dataset) }
  }

  private func learner(_ cut: NetworkCut, _ data: PreparedData) throws -> any Learner {
    guard recipe.unfreeze == 0, cut.endsInHead else {
      return try StageLearner(
        cut: cut, network: network, features: data.training.features, truths: data.training.labels,
        classes: dataset.labels.count, recipe: recipe, threads: threads)
    }
    return try HeadLearner(
      cut: cut, features: data.training.features, truths: data.training.labels, classes: dataset.labels.count,
      recipe: recipe)
  }

  private func train(
    _ learner: any Learner, _ data: PreparedData, _ state: inout RunState, log: TrainingLog,
    events: (Event) -> Void, isInterrupted: () -> Bool
  ) throws {
    let count = data.training.labels.count
    let stepsPerEpoch = (count + recipe.batchSize - 1) / recipe.batchSize
    let schedule = CosineDecay(highest: recipe.learningRate, steps: stepsPerEpoch * recipe.epochs)
    while state.position.epoch <= recipe.epochs {
      let epoch = state.position.epoch
      var shuffling = SeededGenerator(seed: recipe.seed, epoch)
      let order = shuffling.permutation(count)
      while state.position.step < stepsPerEpoch {
        let step = state.position.step
        let total = (epoch - 1) * stepsPerEpoch + step
        let rows = Array(order[(step * recipe.batchSize)..<min((step + 1) * recipe.batchSize, count)])
        let outcome = try learner.step(
          rows, learningRate: schedule.rate(at: total), seed: recipe.seed &+ UInt64(total))
        guard outcome.loss.isFinite else { throw TrainingError.diverged(epoch: epoch) }
        state.position.loss += outcome.loss
        state.position.correct += outcome.correct
        state.position.step += 1
        events(.step(epoch: epoch, done: step + 1, total: stepsPerEpoch))
        if isInterrupted() {
          state.learner = learner.state()
          try state.write(to: folder.state)
          throw TrainingError.interrupted(folder: folder.path, epoch: epoch, epochs: recipe.epochs)
        }
      }
      let record = try record(learner, data, state.position, rate: schedule.rate(at: epoch * stepsPerEpoch - 1))
      finishEpoch(record, learner, &state, events: events)
      try log.append(record)
    }
  }

  private func finishEpoch(
    _ record: EpochRecord, _ learner: any Learner, _ state: inout RunState, events: (Event) -> Void
  ) {
    let best = state.position.records.first { $0.epoch == state.position.bestEpoch }
    let isBest =
      best.map {
        ($0.validationAccuracy, -$0.validationLoss) < (record.validationAccuracy, -record.validationLoss)
      } ?? true
    if isBest {
      state.best = learner.state()
      state.position.bestEpoch = record.epoch
    }
    state.position.records.append(record)
    state.position.epoch += 1
    state.position.step = 0
    state.position.loss = 0
    state.position.correct = 0
    events(.epoch(record, isBest: isBest))
  }

  private func record(
    _ learner: any Learner, _ data: PreparedData, _ position: RunState.Position, rate: Double
  ) throws -> EpochRecord {
    let count = Double(data.training.labels.count)
    var loss = 0.0
    var correct = 0
    for (logits, truth) in zip(try learner.logits(data.validation.features), data.validation.labels) {
      let judged = SoftmaxLoss.judge(logits, truth: truth)
      loss += judged.loss
      correct += judged.isRight ? 1 : 0
    }
    let validation = Double(max(data.validation.labels.count, 1))
    return EpochRecord(
      epoch: position.epoch, trainingLoss: position.loss / count, trainingAccuracy: Double(position.correct) / count,
      validationLoss: loss / validation, validationAccuracy: Double(correct) / validation, learningRate: rate)
  }
}
