import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// Fits a segmentation network to classes of the user's own, one for each pixel.
///
/// The auxiliary classifier that some networks are trained with from scratch is left out: it knows the old classes.
public struct SegmentationFineTuning {
  public let network: PretrainedNetwork
  public let dataset: SegmentationDataset
  public let recipe: Recipe
  public let folder: RunFolder
  public var options = RunOptions()
  /// Sentences for the top of the report.
  public var warnings: [String] = []

  public init(network: PretrainedNetwork, dataset: SegmentationDataset, recipe: Recipe, folder: String) {
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
  /// - Throws: ``TrainingError``, `EngineError`, `GraphError`, `PictureError`, `FileError`.
  public func run(
    resume: Bool = false, force: Bool = false, events: @escaping (TrainingEvent) -> Void = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) throws -> FineTuned {
    try recipe.checkForPixels()
    let target = try TargetNetwork(network, classes: dataset.labels.count, recipe: recipe)
    guard !target.newlyInitialised.isEmpty else { throw TrainingError.noHead(model: network.path) }
    let stages = recipe.phases(stages: target.graph.stages.count - 1)
    let groups = try stages.map { phase in
      try ParameterGroups(
        graph: target.graph, recipe: recipe, head: Set(target.newlyInitialised), unfrozen: phase.unfrozen,
        adapts: phase.adapts)
    }
    guard let last = groups.last else { throw TrainingError.nothingLearns(model: network.path) }
    let augmenter = try Augmenter(recipe.augmentation, preprocessing: trainingPreprocessing)
    let weights = try startingWeights(target)
    let phases = zip(stages, groups).map { phase, groups in
      TrainingPhase(
        epochs: phase.epochs, learningRate: phase.learningRate,
        batches: EpochBatches.shuffled(count: dataset.training.count, size: recipe.batchSize, seed: recipe.seed),
        makeLearner: { learnt in
          let learner = try PixelLearner(
            graph: target.graph, weights: weights.merging(learnt) { $1 }, parameters: groups,
            size: augmenter.preprocessing.size,
            source: MaskedPictures(dataset.training, augmenter: augmenter, threads: options.threads), loss: loss,
            judging: judge(target), recipe: recipe, threads: options.threads)
          return try groups.adapting(learner, seed: recipe.seed)
        })
    }
    let loop = TrainingLoop(
      recipe: recipe, folder: folder, phases: phases, options: options, events: events, isInterrupted: isInterrupted)
    return try folder.run(identity(), resume: resume, force: force) { state in
      let trained = try loop.run(from: state)
      let best = try last.lowRank.merged(trained.best) { weights[$0] }
      let result = try SegmentationRunResult(
        tuning: self, target: target, learning: last, trained: trained, judge: judge(target),
        weights: weights.merging(best) { $1 })
      return try result.write()
    }
  }

  /// How pictures are prepared for judging, and by whoever uses the result.
  var preprocessing: Preprocessing {
    var preprocessing = network.preprocessing
    if let size = recipe.pictureSize {
      preprocessing.size = [size, size]
      if preprocessing.resize != nil { preprocessing.resize = size }
    }
    // A part of the picture would leave the rest without classes.
    preprocessing.crop = nil
    return preprocessing
  }

  /// Squares of the shorter side, since a step's pictures have one size.
  var trainingPreprocessing: Preprocessing {
    var squares = preprocessing
    if let side = squares.resize { squares.size = [side, side] }
    squares.resize = nil
    return squares
  }

  private func judge(_ target: TargetNetwork) -> PixelJudge {
    PixelJudge(
      graph: target.graph, preprocessing: preprocessing, labels: dataset.labels, examples: dataset.validation,
      threads: options.threads)
  }

  private var loss: PixelCrossEntropy {
    PixelCrossEntropy(
      classes: dataset.labels.count, smoothing: Float(recipe.labelSmoothing),
      weights: recipe.balancesClasses ? ClassLoss.balancedWeights(counts: dataset.trainingPixels) : nil)
  }

  /// The layers that make the classes begin with zeros, so that the first steps are theirs alone.
  private func startingWeights(_ target: TargetNetwork) throws -> Weights {
    guard recipe.kind != .scratch else { return RandomWeights.make(for: target.graph, seed: recipe.seed) }
    let new = Set(target.newlyInitialised)
    var weights = try network.weights(for: target.graph, except: new)
    for parameter in target.graph.parameters where new.contains(parameter.name) {
      weights[parameter.name] = FloatTensor(
        shape: parameter.shape, values: [Float](repeating: 0, count: parameter.shape.reduce(1, *)))
    }
    return weights
  }

  private func identity() -> RunState.Identity {
    let data = (dataset.training + dataset.validation).map { "\($0.name) \($0.digest ?? "") \($0.maskDigest ?? "")" }
    return RunState.Identity(
      recipe: recipe, model: network.digest,
      data: Digest.sha256(of: (data + dataset.labels).joined(separator: "\n")))
  }
}
