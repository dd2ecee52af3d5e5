import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A segmentation network of which some parameters learn from a class for each pixel.
final class PixelLearner: PlanLearner {
  private let frozen: FrozenPart
  let plan: TrainingPlan
  private let source: MaskedPictures
  private let loss: PixelCrossEntropy
  private let judging: PixelJudge
  private let learning: ParameterGroups
  let groups: [GradientDescent.Group]

  /// - Parameters:
  ///   - weights: of the whole network.
  ///   - size: of the pictures that are learnt from, height and width.
  init(
    graph: Graph, weights: Weights, parameters: ParameterGroups, size: [Int], source: MaskedPictures,
    loss: PixelCrossEntropy, judging: PixelJudge, recipe: Recipe, threads: Int?
  ) throws {
    (self.source, self.loss, self.judging, learning) = (source, loss, judging, parameters)
    let division = DividedGraph(graph, firstStage: parameters.firstStage)
    let shape = [3] + size
    frozen = FrozenPart(division.frozen, weights: weights, shape: shape, threads: threads)
    plan = try TrainingPlan(
      graph: division.trainable, weights: weights, trainable: parameters.trainable,
      inputShape: frozen.featureShape(), sizes: division.stage > 0 ? [graph.input: shape] : [:],
      options: recipe.trainingOptions(threads: threads))
    groups = parameters.groups(of: plan.layout)
  }

  func announce(_ batches: [AnnouncedBatch]) { source.announce(batches) }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    let made = try source.batch(batch, seed: seed)
    let features = try frozen.features(made.inputs, count: batch.count)
    var outcome = StepOutcome()
    _ = try features.withUnsafeBufferPointer { input in
      try plan.step(input, batch: batch.count, seed: seed) { [loss] logits, _, gradient in
        let found = try logits.withUnsafeBufferPointer { logits in
          try gradient.withUnsafeMutableBufferPointer {
            try loss.loss(logits, truth: made.truth, pictures: batch.count, gradient: $0)
          }
        }
        // A batch whose pixels are all ignored moves nothing.
        outcome = StepOutcome(loss: found.loss, weight: found.weight > 0 ? found.weight : 1)
        return outcome.loss / outcome.weight
      }
    }
    outcome.waiting = made.waiting
    return outcome
  }

  func judge() throws -> Judgement {
    let outcome = try judging.judge(plan.weights())
    return Judgement(
      loss: outcome.loss, score: outcome.confusion.meanIntersectionOverUnion, metric: .meanIoU)
  }

  func learntWeights() -> Weights { plan.weights().filter { learning.moves($0.key) } }
}
