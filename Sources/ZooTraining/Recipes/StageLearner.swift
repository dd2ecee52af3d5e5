import ZooCheckpoint
import ZooEngine
import ZooGraph

/// The last stages of a network together with a new head, trained by gradients through all of them.
///
/// Pretrained stages learn at a tenth of the head's rate and keep the statistics of their BatchNorm, which few pictures
/// could only spoil; a network that begins at random uses each batch's own.
final class StageLearner: Learner {
  private static let pretrainedFactor: Float = 0.1
  private static let evaluationBatch = 16

  private let plan: TrainingPlan
  private let graph: Graph
  private let truths: [Int]
  private let features: [FloatTensor]
  private let shape: [Int]
  private let threads: Int?
  private let smoothing: Float
  private var descent: GradientDescent

  init(
    cut: NetworkCut, network: PretrainedNetwork, features: [FloatTensor], truths: [Int], classes: Int, recipe: Recipe,
    threads: Int?
  ) throws {
    graph = cut.trainable
    self.truths = truths
    self.features = features
    self.threads = threads
    smoothing = Float(recipe.labelSmoothing)
    shape = features.first?.shape ?? []
    let head = Set([cut.headWeight, cut.headBias].compactMap { $0 })
    var weights: Weights
    if recipe.fromScratch {
      weights = RandomWeights.make(for: graph, seed: recipe.seed)
    } else if !cut.endsInHead {
      // Behind a rectifier a head of zeros would never learn.
      weights = try network.weights(for: graph, except: head)
      weights.merge(RandomWeights.make(for: graph, seed: recipe.seed).filter { head.contains($0.key) }) { $1 }
    } else {
      weights = try network.weights(for: graph, except: head)
      weights[cut.headWeight] = FloatTensor(
        shape: [classes, cut.headInputs], values: [Float](repeating: 0, count: classes * cut.headInputs))
      if let name = cut.headBias { weights[name] = FloatTensor([Float](repeating: 0, count: classes)) }
    }
    let trainable = Set(graph.parameters.filter { !$0.isBuffer }.map(\.name))
    plan = try TrainingPlan(
      graph: graph, weights: weights, trainable: trainable, inputShape: shape,
      options: TrainingOptions(threads: threads, batchStatistics: recipe.fromScratch ? nil : []))
    let groups = plan.layout.slices.map { slice in
      GradientDescent.Group(
        range: slice.range, isDecayed: slice.shape.count > 1,
        factor: recipe.fromScratch || head.contains(slice.name) ? 1 : Self.pretrainedFactor)
    }
    descent = GradientDescent(recipe: recipe, groups: groups, count: plan.layout.count)
  }

  func step(_ rows: [Int], learningRate: Double, seed: UInt64) throws -> StepOutcome {
    let input = try Self.gather(rows.map { features[$0] }, count: shape.reduce(1, *))
    let labels = rows.map { truths[$0] }
    let step = try input.withUnsafeBufferPointer { try plan.step($0, labels: labels, smoothing: smoothing, seed: seed) }
    descent.apply(plan.gradients, to: &plan.parameters, learningRate: learningRate)
    var outcome = StepOutcome(loss: step.loss * Double(rows.count))
    for (row, label) in labels.enumerated() {
      let logits = Array(step.logits[row * step.classes..<(row + 1) * step.classes])
      if SoftmaxLoss.highest(logits) == label { outcome.correct += 1 }
    }
    return outcome
  }

  func logits(_ features: [FloatTensor]) throws -> [[Float]] {
    let batch = Self.evaluationBatch
    let compiled = try compile(
      graph, weights: plan.weights(), inputShape: [batch] + shape, options: CompileOptions(threads: threads))
    let classes = compiled.outputShapes[0][1]
    var rows: [[Float]] = []
    for start in stride(from: 0, to: features.count, by: batch) {
      let part = Array(features[start..<min(start + batch, features.count)])
      var input = try Self.gather(part, count: shape.reduce(1, *))
      input += [Float](repeating: 0, count: batch * shape.reduce(1, *) - input.count)
      let output = try compiled.run(FloatTensor(shape: [batch] + shape, values: input))[0].values()
      for row in part.indices { rows.append(Array(output[row * classes..<(row + 1) * classes])) }
    }
    return rows
  }

  private static func gather(_ features: [FloatTensor], count: Int) throws -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(features.count * count)
    for tensor in features { try tensor.withValues { values.append(contentsOf: $0) } }
    return values
  }

  func state() -> Weights {
    var state = descent.state()
    state["parameters"] = FloatTensor(plan.parameters)
    if !plan.statistics.isEmpty { state["statistics"] = FloatTensor(plan.statistics) }
    return state
  }

  func restore(_ state: Weights) throws {
    plan.parameters = try state.values("parameters", count: plan.parameters.count)
    if !plan.statistics.isEmpty { plan.statistics = try state.values("statistics", count: plan.statistics.count) }
    try descent.restore(state)
  }

  func learntWeights() -> Weights {
    let names = Set(graph.parameters.map(\.name))
    return plan.weights().filter { names.contains($0.key) }
  }
}
