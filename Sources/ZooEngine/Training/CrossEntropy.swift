import Foundation

/// Softmax cross-entropy with label smoothing and class weights, as `torch.nn.functional.cross_entropy`.
public enum CrossEntropy {
  /// The targets of classes, [N, classes]: 1 in the place of each.
  ///
  /// - Parameter labels: N class numbers below `classes`.
  public static func targets(_ labels: [Int], classes: Int) -> [Float] {
    var targets = [Float](repeating: 0, count: labels.count * classes)
    for (row, label) in labels.enumerated() { targets[row * classes + label] = 1 }
    return targets
  }

  /// - Parameters:
  ///   - logits: [N, classes], row-major.
  ///   - targets: [N, classes], each row's sum 1.
  ///   - weights: one a class; nil for 1.
  ///   - gradient: receives the loss's gradient with respect to the logits.
  /// - Returns: the mean over the batch, and the sum of the targets' weights that it is over: N without weights.
  public static func loss(
    _ logits: [Float], targets: [Float], classes: Int, smoothing: Float = 0, weights: [Float]? = nil,
    gradient: inout [Float]
  ) -> (mean: Double, weight: Double) {
    let weights = weights?.map(Double.init) ?? [Double](repeating: 1, count: classes)
    let smoothing = Double(smoothing)
    var weight = 0.0
    for index in targets.indices { weight += Double(targets[index]) * weights[index % classes] }
    let scale = weight > 0 ? 1 / weight : 0
    var total = 0.0
    for start in stride(from: 0, to: logits.count, by: classes) {
      let row = logits[start..<start + classes]
      let peak = Double(row.max() ?? 0)
      let logarithm = log(row.reduce(0) { $0 + exp(Double($1) - peak) }) + peak
      var shares = 0.0
      for index in 0..<classes {
        let target = (1 - smoothing) * Double(targets[start + index]) + smoothing / Double(classes)
        let share = weights[index] * target
        shares += share
        total += share * (logarithm - Double(logits[start + index]))
        gradient[start + index] = Float(-share * scale)
      }
      for index in start..<start + classes {
        gradient[index] += Float(exp(Double(logits[index]) - logarithm) * shares * scale)
      }
    }
    return (total * scale, weight)
  }
}
