import ZooCheckpoint
import ZooEngine

@testable import ZooTraining

/// Linear regression with the mean squared error: the least that the training loop can train.
final class LinearLearner: Learner {
  let inputs: [[Double]]
  let truths: [Double]
  var parameters: [Float]
  private var gradient: [Float]
  var groups: [GradientDescent.Group]
  /// Gradients computed so far.
  private(set) var batches = 0
  /// Called before each; what it throws or gives replaces the loss.
  var disturb: (_ batch: Int) throws -> Double? = { _ in nil }

  init(inputs: [[Double]], truths: [Double], start: [Float]) {
    self.inputs = inputs
    self.truths = truths
    parameters = start
    gradient = start
    groups = [.init(range: 0..<start.count)]
  }

  /// Twelve examples of a line through four features.
  static func make(start: [Float] = [0, 0, 0, 0]) -> LinearLearner {
    var random = SeededGenerator(seed: 3)
    let inputs = (0..<12).map { _ in (0..<4).map { _ in random.normal() } }
    let truths = inputs.map { $0[0] - 2 * $0[1] + 0.5 * $0[2] + 3 * $0[3] + 0.1 * random.normal() }
    return LinearLearner(inputs: inputs, truths: truths, start: start)
  }

  func computeGradient(of batch: [Int], seed: UInt64) throws -> StepOutcome {
    let replaced = try disturb(batches)
    batches += 1
    var sums = [Double](repeating: 0, count: parameters.count)
    var loss = 0.0
    for example in batch {
      let error = self.error(example)
      loss += error * error
      for index in sums.indices { sums[index] += 2 * error * inputs[example][index] }
    }
    gradient = sums.map { Float($0 / Double(batch.count)) }
    return StepOutcome(
      loss: replaced.map { $0 * Double(batch.count) } ?? loss, weight: Double(batch.count), judged: batch.count)
  }

  private func error(_ example: Int) -> Double {
    zip(parameters, inputs[example]).reduce(-truths[example]) { $0 + Double($1.0) * $1.1 }
  }

  func update(_ body: (_ parameters: inout [Float], _ gradient: [Float]) -> Void) { body(&parameters, gradient) }

  func judge() -> Judgement {
    let errors = inputs.indices.map(error)
    return Judgement(
      loss: errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count),
      score: Double(errors.count { abs($0) < 0.3 }) / Double(errors.count))
  }

  func learntWeights() -> Weights { ["line": FloatTensor(shape: [parameters.count], values: parameters)] }
}
