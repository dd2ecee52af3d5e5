import Foundation
import ZooCheckpoint
import ZooEngine

/// The part of a network that learns from features, one step at a time.
protocol Learner: AnyObject {
  /// Learns from some of the training examples; gives the sum of their losses and the number told right before it.
  ///
  /// - Parameter seed: of what is random in the step (dropout).
  func step(_ rows: [Int], learningRate: Double, seed: UInt64) throws -> StepOutcome
  /// Logits of features it may never have seen, one row an example.
  func logits(_ features: [FloatTensor]) throws -> [[Float]]
  /// Everything that a later process needs to go on as if nothing had happened.
  func state() -> Weights
  /// - Throws: ``TrainingError`` where the state is another network's.
  func restore(_ state: Weights) throws
  /// What it has learnt, under the network's own names.
  func learntWeights() throws -> Weights
}

struct StepOutcome {
  var loss = 0.0
  var correct = 0
}

/// Cross-entropy of a softmax, in nats.
enum SoftmaxLoss {
  /// Turns one row of logits into probabilities; gives the loss.
  static func apply(_ row: UnsafeMutableBufferPointer<Float>, truth: Int) -> Double {
    var highest = -Float.infinity
    for value in row { highest = max(highest, value) }
    var sum = 0.0
    let logit = Double(row[truth] - highest)
    for index in row.indices {
      let power = exp(Double(row[index] - highest))
      row[index] = Float(power)
      sum += power
    }
    for index in row.indices { row[index] = Float(Double(row[index]) / sum) }
    return log(sum) - logit
  }

  static func probabilities(_ logits: [Float]) -> [Float] {
    var row = logits
    _ = row.withUnsafeMutableBufferPointer { apply($0, truth: 0) }
    return row
  }

  /// Loss and whether the class came first.
  static func judge(_ logits: [Float], truth: Int) -> (loss: Double, isRight: Bool) {
    var row = logits
    let loss = row.withUnsafeMutableBufferPointer { apply($0, truth: truth) }
    return (loss, highest(logits) == truth)
  }

  static func highest(_ row: [Float]) -> Int {
    row.indices.max { row[$0] < row[$1] || row[$0] == row[$1] && $0 > $1 } ?? 0
  }
}
