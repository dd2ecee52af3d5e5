import ZooCheckpoint

/// Brings each feature to mean 0 and variance 1 over the training examples, which lets one learning rate fit all
/// networks; a linear layer takes it in afterwards, so that nothing of it remains.
struct FeatureScale {
  let mean: [Float]
  let factor: [Float]

  /// - Parameter centres: whether the mean is taken away.
  init(_ rows: [FloatTensor], count: Int, centres: Bool = true) throws {
    var sums = [Double](repeating: 0, count: count)
    var squares = sums
    for row in rows {
      try row.withValues { values in
        for index in 0..<count {
          let value = Double(values[index])
          sums[index] += value
          squares[index] += value * value
        }
      }
    }
    let total = Double(max(rows.count, 1))
    var mean = [Float](repeating: 0, count: count)
    var factor = mean
    for index in 0..<count {
      let average = sums[index] / total
      let variance = max(squares[index] / total - average * average, 0)
      mean[index] = centres ? Float(average) : 0
      factor[index] = variance < 1e-10 ? 0 : Float(1 / variance.squareRoot())
    }
    self.mean = mean
    self.factor = factor
  }

  /// Scales rows that stand one after another.
  func apply(to rows: inout [Float]) {
    let count = mean.count
    rows.withUnsafeMutableBufferPointer { rows in
      for start in stride(from: 0, to: rows.count, by: count) {
        for index in 0..<count { rows[start + index] = (rows[start + index] - mean[index]) * factor[index] }
      }
    }
  }

  /// The rows, scaled, one after another.
  func apply(_ rows: [FloatTensor]) throws -> [Float] {
    var scaled = try FloatTensor.joined(rows, count: mean.count)
    apply(to: &scaled)
    return scaled
  }
}
