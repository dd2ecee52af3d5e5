import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Fits a pretrained network to new classes, labels or numbers: a new last layer on frozen features, and more of it on demand.
public struct FineTuning {
  public let network: PretrainedNetwork
  public let dataset: Dataset
  public let recipe: Recipe
  public let folder: RunFolder
  public var options = RunOptions()
  /// Of the report.
  public var title = ""
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
    resume: Bool = false, force: Bool = false, events: @escaping (TrainingEvent) -> Void = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) throws -> FineTuned {
    let target = try TargetNetwork(network, classes: dataset.labels.count, recipe: recipe)
    try recipe.check(for: dataset.problem)
    let stages = recipe.phases(stages: target.graph.stages.count - 1)
    let parts = try stages.map { try target.part($0, recipe: recipe) }
    guard let last = parts.last else { throw TrainingError.noHead(model: network.path) }
    try check(last.cut)
    let features = PhaseFeatures(tuning: self, events: events, isInterrupted: isInterrupted)
    let phases = zip(stages, parts).map { phase, part in
      TrainingPhase(
        epochs: phase.epochs, learningRate: phase.learningRate,
        batches: { try features.batches(part, epoch: $0) },
        makeLearner: { try learner(part, learnt: $0, features) })
    }
    let loop = TrainingLoop(
      recipe: recipe, folder: folder, phases: phases, options: options, events: events, isInterrupted: isInterrupted)
    return try folder.run(identity(), resume: resume, force: force) { state in
      let trained = try loop.run(from: state)
      return try RunResult(
        tuning: self, target: target, part: last, data: features.data(last), trained: trained
      ).write()
    }
  }

  /// Tries rising learning rates on what the recipe's last phase trains, and writes `rates.html`; nothing of it is kept.
  ///
  /// - Throws: ``TrainingError``, ``DataError``, `EngineError`, `GraphError`, `FileError`.
  public func findRate(
    events: @escaping (TrainingEvent) -> Void = { _ in }, isInterrupted: @escaping () -> Bool = { false }
  ) throws -> RateSearch {
    let target = try TargetNetwork(network, classes: dataset.labels.count, recipe: recipe)
    guard let phase = recipe.phases(stages: target.graph.stages.count - 1).last else {
      throw TrainingError.noHead(model: network.path)
    }
    let part = try target.part(phase, recipe: recipe)
    try check(part.cut)
    try Folder.make(folder.path)
    let features = PhaseFeatures(tuning: self, events: events, isInterrupted: isInterrupted)
    do {
      var training = PhaseTraining(try learner(part, learnt: [:], features), recipe: recipe)
      var batches: ArraySlice<[Int]> = []
      var epoch = 0
      let search = try RateSearch { place, rate in
        if batches.isEmpty {
          epoch += 1
          batches = try features.batches(part, epoch: epoch)[...]
        }
        guard let batch = batches.popFirst() else { return nil }
        if isInterrupted() { throw StoppedEarly() }
        events(.step(epoch: 1, done: place + 1, total: RateSearch.steps))
        var watch = LossWatch()
        let step = try training.step(
          [batch], learningRate: rate, seed: { _ in recipe.seed &+ UInt64(place) }, watch: &watch)
        return step.divergence == nil ? step.outcome.loss / step.outcome.weight : nil
      }
      let file = try AtomicFile(path: folder.rates, overwrite: true)
      try file.write(
        RateReport(search: search, title: "Learning rates of \(network.name)", command: options.command).html())
      try file.commit()
      return search
    } catch is StoppedEarly {
      throw TrainingError.interrupted(folder: folder.path, epoch: 1, epochs: 1)
    }
  }

  /// - Throws: ``TrainingError/noNumbers(model:)`` where the last layer can't give numbers of any size and sign.
  private func check(_ cut: NetworkCut) throws(TrainingError) {
    guard dataset.problem == .regression else { return }
    guard cut.endsInHead, cut.headBias != nil else { throw .noNumbers(model: network.path) }
  }

  private func identity() -> RunState.Identity {
    let data = (dataset.training + dataset.validation).map { example in
      // A class is part of its folder's name.
      let target = if case .label = example.target { "" } else { " \(example.target)" }
      return "\(example.name) \(example.digest ?? "")" + target
    }
    return RunState.Identity(
      recipe: recipe, model: network.digest, data: Digest.sha256(of: data.joined(separator: "\n")))
  }

  private func learner(_ part: TargetNetwork.Part, learnt: Weights, _ features: PhaseFeatures) throws -> any Learner {
    let data = try features.data(part)
    let loss = try recipe.objective(for: dataset, data.training.examples)
    let source = try features.source(part, loss: loss)
    guard !part.isLogisticRegression else {
      return try HeadLearner(cut: part.cut, source: source, data: data, loss: loss)
    }
    let learner = try StageLearner(
      part: part, weights: StartingWeights(network: network, part: part, recipe: recipe).make(learnt: learnt),
      source: source, data: data, loss: loss, recipe: recipe, threads: options.threads)
    return try part.parameters.adapting(learner, seed: recipe.seed)
  }
}
