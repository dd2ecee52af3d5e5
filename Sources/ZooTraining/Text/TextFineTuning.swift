import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Fits a text model to texts of the user's own: to classes, to answers, or to how they go on.
public struct TextFineTuning {
  public let network: PretrainedText
  public let dataset: TextDataset
  public let recipe: Recipe
  public let folder: RunFolder
  /// Tokens that are kept of a text; of continuations those of a block. nil for all that the network takes, and 128.
  public var maximumLength: Int?
  public var options = RunOptions()

  private static let block = 128
  private static let longest = 512

  public init(network: PretrainedText, dataset: TextDataset, recipe: Recipe, folder: String) {
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
    try recipe.checkForTexts()
    let graph = network.graph
    let stages = recipe.phases(stages: graph.stages.count - 1)
    let groups = try stages.map { phase in
      try ParameterGroups(
        graph: graph, recipe: recipe, head: Set(network.newlyInitialised), unfrozen: phase.unfrozen,
        adapts: phase.adapts)
    }
    guard groups.allSatisfy({ !$0.trainable.isEmpty }) else {
      throw TrainingError.nothingLearns(model: network.model.path)
    }
    let examples = try self.examples()
    return try folder.run(identity(), resume: resume, force: force) { state in
      let weights = try network.weights(recipe)
      let batches = LengthBuckets.batches(
        examples.training.map(\.length), size: recipe.batchSize, seed: recipe.seed)
      let phases = zip(stages, groups).map { phase, groups in
        TrainingPhase(epochs: phase.epochs, learningRate: phase.learningRate, batches: batches) { learnt in
          let learner = try learner(
            groups, weights.merging(learnt) { $1 }, examples, events: events, isInterrupted: isInterrupted)
          return try groups.adapting(learner, seed: recipe.seed)
        }
      }
      let loop = TrainingLoop(
        recipe: recipe, folder: folder, phases: phases, options: options, events: events, isInterrupted: isInterrupted)
      let trained = try loop.run(from: state)
      guard let last = groups.last else { throw TrainingError.nothingLearns(model: network.model.path) }
      var logits: [[Float]] = []
      if dataset.purpose == .classes {
        let judged = Examples(training: [], validation: examples.validation)
        let best = try last.lowRank.merged(trained.best) { weights[$0] }
        logits = try learner(last, weights.merging(best) { $1 }, judged).validationLogits()
      }
      return try TextRunResult(tuning: self, learning: last, trained: trained, logits: logits).write()
    }
  }

  struct Examples {
    let training: [SequenceExample]
    let validation: [SequenceExample]
  }

  private func examples() throws -> Examples {
    let model = network.model
    let longest =
      [network.graph.maximumSequenceLength, model.settings.maximumLength].compactMap(\.self).min() ?? Self.longest
    let usual = dataset.purpose == .continuation ? Self.block : Self.longest
    let wanted = maximumLength ?? min(usual, longest)
    guard (2...longest).contains(wanted) else {
      throw TrainingError.badOption(name: "--max-length", value: "\(wanted)", expected: "2 to \(longest)")
    }
    let maker = SequenceExamples(
      tokenizer: model.tokenizer, settings: model.settings, maximumLength: wanted, file: model.path)
    return Examples(training: try maker.make(dataset.training), validation: try maker.make(dataset.validation))
  }

  private func learner(
    _ groups: ParameterGroups, _ weights: Weights, _ examples: Examples,
    events: (TrainingEvent) -> Void = { _ in }, isInterrupted: () -> Bool = { false }
  ) throws -> SequenceLearner {
    let cut = try SequenceCut(network.graph, stage: groups.firstStage)
    let all = examples.training + examples.validation
    let frozen = try cut.frozen.map { try FrozenRows($0, weights: weights, examples: all, threads: options.threads) }
    try frozen?.fill { done in
      events(.features(done: done, total: all.count))
      return isInterrupted()
    }
    return try SequenceLearner(
      cut: cut, weights: weights, factors: groups,
      training: SequenceSource(examples: examples.training, frozen: frozen),
      validation: SequenceSource(examples: examples.validation, frozen: frozen, first: examples.training.count),
      recipe: recipe, threads: options.threads)
  }

  private func identity() -> RunState.Identity {
    let data = (dataset.training + dataset.validation).map { "\($0.name) \($0.digest ?? "") \($0.target)" }
    return RunState.Identity(
      recipe: recipe, model: network.digest,
      data: Digest.sha256(of: (data + ["\(maximumLength ?? 0)"]).joined(separator: "\n")))
  }
}
