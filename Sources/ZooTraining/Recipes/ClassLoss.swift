import ZooEngine

/// Cross-entropy over classes, with the weights of rare ones and label smoothing, as
/// `torch.nn.functional.cross_entropy`.
struct ClassLoss: Objective {
  let classes: Int
  var smoothing: Float = 0
  /// One a class; nil counts all the same.
  var weights: [Float]?

  /// Each class by the number of examples over classes times its own, as scikit-learn's `class_weight="balanced"`.
  static func balancedWeights(_ labels: [Int], classes: Int) -> [Float] {
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    return balancedWeights(counts: counts)
  }

  /// - Parameter counts: examples of each class.
  static func balancedWeights(counts: [Int]) -> [Float] {
    let total = Double(counts.reduce(0, +))
    return counts.map { $0 == 0 ? 0 : Float(total / Double(counts.count * $0)) }
  }

  var outputs: Int { classes }
  let lossName = "cross-entropy"

  func targets(_ examples: [Example]) -> [Float] { CrossEntropy.targets(examples.map(\.label), classes: classes) }

  func judge(_ logits: [[Float]], _ examples: [Example]) -> Judgement {
    SoftmaxLoss.judge(logits, truths: examples.map(\.label))
  }

  /// - Parameter targets: each row's sum is 1.
  func outcome(_ logits: [Float], targets: [Float], gradient: inout [Float]) -> StepOutcome {
    let (loss, weight) = CrossEntropy.loss(
      logits, targets: targets, classes: classes, smoothing: smoothing, weights: weights, gradient: &gradient)
    let rows = stride(from: 0, to: logits.count, by: classes)
    let correct = rows.count { start in
      SoftmaxLoss.highest(Array(logits[start..<start + classes]))
        == SoftmaxLoss.highest(Array(targets[start..<start + classes]))
    }
    return StepOutcome(loss: loss * weight, weight: weight, correct: correct, judged: targets.count / classes)
  }
}
