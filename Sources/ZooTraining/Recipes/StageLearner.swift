import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The last stages of a network together with a new head, trained by gradients through all of them.
///
/// Unless told otherwise pretrained stages keep the statistics of their BatchNorm, which few pictures could only spoil; a
/// network that begins at random uses each batch's own.
final class StageLearner: PlanLearner {
  let plan: TrainingPlan
  private let graph: Graph
  private let data: PreparedData
  private let source: any ExampleSource
  private let threads: Int?
  private let loss: any Objective
  let groups: [GradientDescent.Group]

  /// - Parameter weights: of the part that is trained.
  init(
    part: TargetNetwork.Part, weights: Weights, source: any ExampleSource, data: PreparedData, loss: any Objective,
    recipe: Recipe, threads: Int?
  ) throws {
    graph = part.cut.trainable
    self.data = data
    self.loss = loss
    self.threads = threads
    self.source = source
    plan = try TrainingPlan(
      graph: graph, weights: weights, trainable: part.parameters.trainable, inputShape: source.shape,
      options: recipe.trainingOptions(threads: threads))
    groups = part.parameters.groups(of: plan.layout)
  }

  func announce(_ batches: [AnnouncedBatch]) { source.announce(batches) }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    let made = try source.batch(batch, seed: seed)
    var outcome = StepOutcome()
    _ = try made.inputs.withUnsafeBufferPointer { input in
      try plan.step(input, batch: batch.count, seed: seed) { logits, _, gradient in
        outcome = loss.outcome(logits, targets: made.targets, gradient: &gradient)
        return outcome.loss / outcome.weight
      }
    }
    outcome.waiting = made.waiting
    return outcome
  }

  func judge() throws -> Judgement {
    let network = try FeatureNetwork(graph, weights: plan.weights(), shape: source.shape, threads: threads)
    return loss.judge(try network.logits(data.validation.features), data.validation.examples)
  }

  func learntWeights() -> Weights {
    let names = Set(graph.parameters.map(\.name))
    return plan.weights().filter { names.contains($0.key) }
  }
}
