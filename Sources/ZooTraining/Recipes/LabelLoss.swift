import Foundation

/// Binary cross-entropy of labels that each hold or don't, as `torch.nn.BCEWithLogitsLoss`: the mean over pictures and
/// labels.
struct LabelLoss: Objective {
  let outputs: Int
  /// Targets are moved towards a half by so much of the way, as Keras's `BinaryCrossentropy` does it.
  var smoothing: Float = 0
  /// What a label that holds counts, over one that doesn't (`pos_weight`); nil for 1.
  var positiveWeights: [Float]?

  let lossName = "binary cross-entropy"

  /// Pictures that a label doesn't hold of over those that it holds of.
  static func balancedWeights(_ examples: [[Int]], labels: Int) -> [Float] {
    var counts = [Int](repeating: 0, count: labels)
    for example in examples { for label in example { counts[label] += 1 } }
    return counts.map { $0 == 0 || $0 == examples.count ? 1 : Float(examples.count - $0) / Float($0) }
  }

  func targets(_ examples: [Example]) -> [Float] {
    var targets = [Float](repeating: 0, count: examples.count * outputs)
    for (row, example) in examples.enumerated() { for label in example.labels { targets[row * outputs + label] = 1 } }
    return targets
  }

  func outcome(_ logits: [Float], targets: [Float], gradient: inout [Float]) -> StepOutcome {
    let scale = 1 / Double(max(logits.count, 1))
    var total = 0.0
    for index in logits.indices {
      let target = Double((1 - smoothing) * targets[index] + smoothing / 2)
      let (loss, slope) = Self.loss(
        Double(logits[index]), target: target, positive: positiveWeights.map { Double($0[index % outputs]) } ?? 1)
      total += loss
      gradient[index] = Float(slope * scale)
    }
    let rows = Double(logits.count / outputs)
    return StepOutcome(loss: total * scale * rows, weight: rows)
  }

  /// -(w t log σ + (1 - t) log(1 - σ)) and its slope.
  private static func loss(_ logit: Double, target: Double, positive: Double) -> (loss: Double, slope: Double) {
    let weight = 1 + (positive - 1) * target
    let softened = log1p(exp(-abs(logit))) + max(-logit, 0)
    let sigmoid = 1 / (1 + exp(-logit))
    return ((1 - target) * logit + weight * softened, (1 - target) - weight * (1 - sigmoid))
  }

  func judge(_ logits: [[Float]], _ examples: [Example]) -> Judgement {
    let metrics = LabelMetrics(logits: logits, truths: examples.map(\.labels), labels: outputs)
    return Judgement(
      loss: LabelLoss(outputs: outputs).meanLoss(logits, examples), score: metrics.meanAveragePrecision,
      metric: .meanAveragePrecision)
  }
}
