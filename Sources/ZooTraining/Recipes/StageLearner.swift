import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The last stages of a network together with a new head, trained by gradients through all of them.
///
/// Pretrained stages keep the statistics of their BatchNorm, which few pictures could only spoil; a network that begins
/// at random uses each batch's own.
final class StageLearner: Learner {
  private let plan: TrainingPlan
  private let graph: Graph
  private let data: PreparedData
  private let shape: [Int]
  private let threads: Int?
  private let smoothing: Float
  let groups: [GradientDescent.Group]

  /// - Parameter weights: of the part that is trained.
  init(
    cut: NetworkCut, weights: Weights, parameters: ParameterGroups, data: PreparedData, recipe: Recipe, threads: Int?
  ) throws {
    graph = cut.trainable
    self.data = data
    self.threads = threads
    smoothing = Float(recipe.labelSmoothing)
    shape = data.training.features.first?.shape ?? []
    plan = try TrainingPlan(
      graph: graph, weights: weights, trainable: parameters.trainable, inputShape: shape,
      options: TrainingOptions(threads: threads, batchStatistics: recipe.kind == .scratch ? nil : []))
    groups = parameters.groups(of: plan.layout)
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
    let labels = batch.map { data.training.examples[$0].label }
    let step = try input.withUnsafeBufferPointer { try plan.step($0, labels: labels, smoothing: smoothing, seed: seed) }
    var outcome = StepOutcome(
      loss: step.loss * Double(batch.count), weight: Double(batch.count), judged: batch.count)
    for (row, label) in labels.enumerated() {
      let logits = Array(step.logits[row * step.classes..<(row + 1) * step.classes])
      if SoftmaxLoss.highest(logits) == label { outcome.correct += 1 }
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
