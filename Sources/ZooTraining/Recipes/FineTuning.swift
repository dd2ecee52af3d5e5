import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Fits a pretrained network to new classes: a new last layer on frozen features, and more of it on demand.
public struct FineTuning {
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
    resume: Bool = false, force: Bool = false, events: @escaping (TrainingEvent) -> Void = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) throws -> FineTuned {
    var description = network.description
    description.classes = dataset.labels.count
    let graph = try description.graph()
    let stages = recipe.phases(stages: graph.stages.count - 1)
    let cuts = try stages.map { try NetworkCut(graph, unfrozen: $0.unfrozen, model: network.path) }
    try folder.prepare(resume: resume, force: force)
    let held = try folder.hold()
    defer { withExtendedLifetime(held) {} }
    let state = try folder.begin(identity(), resume: resume)
    let features = PhaseFeatures(tuning: self, events: events, isInterrupted: isInterrupted)
    let phases = zip(stages, cuts).map { phase, cut in
      TrainingPhase(
        epochs: phase.epochs, learningRate: phase.learningRate,
        batches: { try features.batches(cut, epoch: $0) },
        makeLearner: { try learner(cut, graph, unfrozen: phase.unfrozen, learnt: $0, features.data(cut)) })
    }
    var loop = TrainingLoop(recipe: recipe, folder: folder, phases: phases)
    loop.events = events
    loop.isInterrupted = isInterrupted
    let trained = try loop.run(from: state)
    guard let cut = cuts.last else { throw TrainingError.noHead(model: network.path) }
    let result = try RunResult(
      tuning: self, description: description, cut: cut, data: features.data(cut), trained: trained
    ).write()
    folder.finish()
    return result
  }

  private func identity() -> RunState.Identity {
    let data = (dataset.training + dataset.validation).map { "\($0.name) \($0.digest ?? "")" }
    return RunState.Identity(
      recipe: recipe, model: network.digest, data: Digest.sha256(of: data.joined(separator: "\n")))
  }

  private func learner(
    _ cut: NetworkCut, _ graph: Graph, unfrozen: Int, learnt: Weights, _ data: PreparedData
  ) throws -> any Learner {
    let classes = dataset.labels.count
    guard recipe.kind == .scratch || unfrozen > 0 || !cut.endsInHead else {
      return try HeadLearner(cut: cut, data: data, classes: classes, recipe: recipe)
    }
    let head = Set([cut.headWeight, cut.headBias].compactMap(\.self))
    return try StageLearner(
      cut: cut, weights: StartingWeights(network: network, cut: cut, recipe: recipe).make(learnt: learnt),
      parameters: ParameterGroups(graph: graph, recipe: recipe, head: head, unfrozen: unfrozen),
      data: data, recipe: recipe, threads: threads)
  }
}
