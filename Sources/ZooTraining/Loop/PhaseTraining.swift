import ZooCheckpoint
import ZooEngine

/// A learner with all that moves it: the optimizer, gradients summed over batches and clipped, the average of weights.
struct PhaseTraining {
  let learner: any Learner
  private let clip: Double?
  private var descent: GradientDescent
  private var average: WeightAverage?
  /// Gradients of a step's earlier batches; empty where a step has one.
  private var sum: [Float] = []

  init(_ learner: any Learner, recipe: Recipe) {
    self.learner = learner
    clip = recipe.clip
    descent = GradientDescent(recipe: recipe, groups: learner.groups, count: learner.parameters.count)
    average = recipe.averaging.map { WeightAverage(decay: $0, of: learner) }
  }

  struct Step {
    let outcome: StepOutcome
    /// Before clipping.
    let gradientNorm: Double
    /// nil where all is well; else the parameters are as they were.
    let divergence: TrainingError.Divergence?
  }

  /// Moves the parameters once, by the gradient of the mean loss over all of the batches; where it throws, all is as it was.
  mutating func step(
    _ batches: ArraySlice<[Int]>, learningRate: Double, seed: (_ batch: Int) -> UInt64, watch: inout LossWatch
  ) throws -> Step {
    let statistics = learner.statistics
    var isDone = false
    defer { if !isDone { learner.statistics = statistics } }
    var outcome = StepOutcome()
    for (place, batch) in zip(batches.indices, batches) {
      let part = try learner.computeGradient(of: batch, seed: seed(place))
      outcome = outcome + part
      if batches.count > 1 { add(weight: Float(part.weight), isFirst: place == batches.startIndex) }
    }
    let isSummed = batches.count > 1
    var scale = isSummed ? Float(1 / outcome.weight) : 1
    var norm = 0.0
    learner.update { norm = descent.norm(of: isSummed ? sum : $1) }
    norm *= Double(scale)
    let divergence = watch.notice(loss: outcome.loss / outcome.weight, gradientNorm: norm)
    isDone = divergence == nil
    guard divergence == nil else { return Step(outcome: outcome, gradientNorm: norm, divergence: divergence) }
    // As torch.nn.utils.clip_grad_norm_.
    if let clip { scale *= Float(min(1, clip / (norm + 1e-6))) }
    learner.update { parameters, gradient in
      descent.apply(isSummed ? sum : gradient, scale: scale, to: &parameters, learningRate: learningRate)
    }
    let moved = learner.statistics
    learner.update { parameters, _ in average?.update(parameters, moved) }
    return Step(outcome: outcome, gradientNorm: norm, divergence: nil)
  }

  private mutating func add(weight: Float, isFirst: Bool) {
    learner.update { _, gradient in
      if isFirst { sum = [Float](repeating: 0, count: gradient.count) }
      sum.withUnsafeMutableBufferPointer { sum in
        gradient.withUnsafeBufferPointer { gradient in
          for index in sum.indices { sum[index] += gradient[index] * weight }
        }
      }
    }
  }

  /// Calls `body` while the learner has the weights that count: their average where one is kept.
  func withCountingWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let average else { return try body() }
    let (parameters, statistics) = (learner.parameters, learner.statistics)
    (learner.parameters, learner.statistics) = (average.parameters, average.statistics)
    defer { (learner.parameters, learner.statistics) = (parameters, statistics) }
    return try body()
  }

  /// Everything that a later process needs to go on as if nothing had happened.
  func state() -> Weights {
    var state = descent.state().merging(average?.state() ?? [:]) { $1 }
    state["parameters"] = FloatTensor(learner.parameters)
    state["statistics"] = FloatTensor(learner.statistics)
    return state
  }

  /// - Throws: ``TrainingError`` where the state is another network's.
  mutating func restore(_ state: Weights) throws {
    learner.parameters = try state.values("parameters", count: learner.parameters.count)
    learner.statistics = try state.values("statistics", count: learner.statistics.count)
    try descent.restore(state)
    try average?.restore(state)
  }
}
