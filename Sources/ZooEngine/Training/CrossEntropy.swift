import Foundation

/// Softmax cross-entropy with label smoothing, as `torch.nn.functional.cross_entropy`.
public enum CrossEntropy {
  /// - Parameters:
  ///   - logits: [N, classes], row-major.
  ///   - labels: N class numbers below `classes`.
  ///   - gradient: receives the loss's gradient with respect to the logits.
  /// - Returns: the mean loss over the batch.
  public static func loss(
    _ logits: [Float], labels: [Int], classes: Int, smoothing: Float = 0, gradient: inout [Float]
  ) -> Double {
    var total = 0.0
    let batch = Double(labels.count)
    let share = Double(smoothing) / Double(classes)
    for (row, label) in labels.enumerated() {
      let start = row * classes
      let values = logits[start..<start + classes]
      let peak = Double(values.max() ?? 0)
      let sum = values.reduce(0) { $0 + exp(Double($1) - peak) }
      let logarithm = log(sum) + peak
      for index in 0..<classes {
        let logit = Double(logits[start + index])
        let target = share + (index == label ? 1 - Double(smoothing) : 0)
        total += target * (logarithm - logit)
        gradient[start + index] = Float((exp(logit - logarithm) - target) / batch)
      }
    }
    return total / batch
  }
}
