import ZooCheckpoint

extension OperatorTable {
  /// What training minimises.
  static let losses: [String: Kernel] = [
    "NegativeLogLikelihoodLoss": { [try $0.likelihoodLoss($0.input(0))] },
    "SoftmaxCrossEntropyLoss": {
      guard try $0.input(0).rank >= 2 else { throw ONNXProgramError(.rank(found: 1, needed: "2 or more")) }
      let logarithms = try $0.softmax($0.input(0), axis: 1, .logarithm)
      return [try $0.likelihoodLoss(logarithms), logarithms]
    },
  ]
}

extension KernelCall {
  /// Minus the logarithm at each label, weighted by the label's class.
  fileprivate func likelihoodLoss(_ logarithms: ONNXValue) throws -> ONNXValue {
    let labels = try input(1)
    let rest = logarithms.rank >= 2 ? [logarithms.shape[0]] + logarithms.shape[2...] : []
    guard logarithms.rank >= 2, labels.shape == rest else {
      throw ONNXProgramError(.shapesDiffer(logarithms.shape, labels.shape))
    }
    let (classes, run) = (logarithms.shape[1], logarithms.shape[2...].reduce(1, *))
    let ignored = step.node.attributes["ignore_index"] == nil ? nil : try integer("ignore_index", 0)
    let weights = try optional(2)?.doubles()
    guard weights.map({ $0.count == classes }) ?? true else {
      throw ONNXProgramError(.count(found: weights?.count ?? 0, needed: classes))
    }
    let values = try logarithms.doubles()
    var (losses, total) = ([Double](), 0.0)
    for (place, label) in try labels.integers().enumerated() {
      if label == ignored {
        losses.append(0)
        continue
      }
      guard (0..<classes).contains(label) else { throw ONNXProgramError(.index(label, size: classes)) }
      let weight = weights?[label] ?? 1
      total += weight
      losses.append(-values[(place / run * classes + label) * run + place % run] * weight)
    }
    let dtype = try self.dtype(of: logarithms)
    switch try string("reduction", "mean") {
    case "none": return try ONNXValue(shape: labels.shape, losses).cast(to: dtype)
    case "sum": return try ONNXValue(scalar: losses.reduce(0, +)).cast(to: dtype)
    default: return try ONNXValue(scalar: losses.reduce(0, +) / total).cast(to: dtype)
    }
  }
}
