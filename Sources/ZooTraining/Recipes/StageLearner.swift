import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The last stages of a network together with a new head, trained by gradients through all of them.
///
/// Unless told otherwise pretrained stages keep the statistics of their BatchNorm, which few pictures could only spoil; a
/// network that begins at random uses each batch's own.
final class StageLearner: Learner {
  private let plan: TrainingPlan
  private let graph: Graph
  private let data: PreparedData
  private let shape: [Int]
  private let threads: Int?
  private let loss: ClassLoss
  let groups: [GradientDescent.Group]

  /// - Parameter weights: of the part that is trained.
  init(
    part: TargetNetwork.Part, weights: Weights, data: PreparedData, loss: ClassLoss, recipe: Recipe, threads: Int?
  ) throws {
    graph = part.cut.trainable
    self.data = data
    self.loss = loss
    self.threads = threads
    shape = data.training.features.first?.shape ?? []
    let usesBatch = recipe.usesBatchStatistics ?? (recipe.kind == .scratch)
    plan = try TrainingPlan(
      graph: graph, weights: weights, trainable: part.parameters.trainable, inputShape: shape,
      options: TrainingOptions(threads: threads, batchStatistics: usesBatch ? nil : []))
    groups = part.parameters.groups(of: plan.layout)
  }

  var parameters: [Float] {
    get { plan.parameters }
    set { plan.parameters = newValue }
  }

  var statistics: [Float] {
    get { plan.statistics }
    set { plan.statistics = newValue }
  }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    let input = try FloatTensor.joined(batch.map { data.training.features[$0] }, count: shape.reduce(1, *))
    let targets = loss.targets(batch.map { data.training.examples[$0].label })
    var outcome = StepOutcome()
    _ = try input.withUnsafeBufferPointer { input in
      try plan.step(input, batch: batch.count, seed: seed) { logits, _, gradient in
        outcome = loss.outcome(logits, targets: targets, gradient: &gradient)
        return outcome.loss
      }
    }
    return outcome
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&plan.parameters, plan.gradients)
  }

  func judge() throws -> Judgement {
    let network = try FeatureNetwork(graph, weights: plan.weights(), shape: shape, threads: threads)
    return SoftmaxLoss.judge(try network.logits(data.validation.features), truths: data.validation.labels)
  }

  func learntWeights() -> Weights {
    let names = Set(graph.parameters.map(\.name))
    return plan.weights().filter { names.contains($0.key) }
  }
}
