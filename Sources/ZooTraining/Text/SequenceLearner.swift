import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A network of sequences, or its last layers, trained by gradients.
final class SequenceLearner: NetworkLearner {
  /// Texts that are judged at once.
  private static let judged = 16

  let groups: [GradientDescent.Group]
  private let plan: SequenceTrainingPlan
  private let training: SequenceSource
  private let validation: SequenceSource
  private let smoothing: Float

  /// - Parameters:
  ///   - weights: of the whole network.
  ///   - factors: what learns.
  init(
    cut: SequenceCut, weights: Weights, factors: ParameterGroups, training: SequenceSource,
    validation: SequenceSource, recipe: Recipe, threads: Int?
  ) throws {
    plan = try SequenceTrainingPlan(
      graph: cut.trainable, weights: weights, trainable: factors.trainable, inputColumns: cut.columns,
      options: TrainingOptions(threads: threads))
    groups = factors.groups(of: plan.layout)
    smoothing = Float(recipe.labelSmoothing)
    self.training = training
    self.validation = validation
  }

  var layout: ParameterLayout { plan.layout }

  var parameters: [Float] {
    get { plan.parameters }
    set { plan.parameters = newValue }
  }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    let start = ContinuousClock.now
    let (input, targets) = try training.batch(batch, smoothing: smoothing)
    let waiting = (ContinuousClock.now - start).seconds
    let outcome = try plan.step(input, targets, seed: seed)
    return StepOutcome(
      loss: outcome.loss, weight: Double(outcome.count), correct: outcome.correct, judged: outcome.count,
      waiting: waiting)
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) {
    body(&plan.parameters, plan.gradients)
  }

  func judge() throws -> Judgement {
    var sum = SequenceOutcome()
    for batch in judgedBatches {
      let (input, targets) = try validation.batch(batch, smoothing: 0)
      sum += try plan.judge(input, targets)
    }
    let count = Double(max(sum.count, 1))
    return Judgement(loss: sum.loss / count, score: Double(sum.correct) / count)
  }

  private var judgedBatches: [[Int]] {
    LengthBuckets.inOrder(of: validation.examples.map(\.length), size: Self.judged)
  }

  func learntWeights() -> Weights { plan.trainedWeights() }

  /// Logits of the validation's texts, a row each.
  func validationLogits() throws -> [[Float]] {
    var logits = [[Float]](repeating: [], count: validation.examples.count)
    for batch in judgedBatches {
      let output = try plan.output(try validation.batch(batch, smoothing: 0).0)
      let (values, columns) = (try output.values(), output.shape[1])
      for (row, place) in batch.enumerated() { logits[place] = Array(values[row * columns..<(row + 1) * columns]) }
    }
    return logits
  }
}

/// Examples, and what the frozen part of a network makes of them.
struct SequenceSource {
  let examples: [SequenceExample]
  /// nil where nothing is frozen.
  let frozen: FrozenRows?
  /// The place of the first example among those of the frozen part.
  var first = 0

  /// - Throws: `EngineError`.
  func batch(_ places: [Int], smoothing: Float) throws -> (SequenceBatch, SequenceTargets) {
    let chosen = places.map { examples[$0] }
    let source: SequenceBatch.Source =
      try frozen.map { .features(try $0.rows(of: places.map { first + $0 })) }
      ?? .tokens(SequenceInput(ids: chosen.map(\.ids), typeIDs: chosen.map(\.typeIDs)))
    let decoders = chosen.compactMap(\.decoder)
    return (
      SequenceBatch(source, decoder: decoders.isEmpty ? nil : decoders),
      SequenceTargets(chosen.flatMap(\.targets), smoothing: smoothing)
    )
  }
}
