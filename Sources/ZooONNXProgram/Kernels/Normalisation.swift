import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Means and variances taken out.
  static let normalisation: [String: Kernel] = [
    "BatchNormalization": { try $0.batchNormalization() },
    "InstanceNormalization": { try $0.instanceNormalization() },
    "LayerNormalization": { try $0.layerNormalization() },
    "RMSNormalization": { try $0.rootMeanSquareNormalization() },
    "SimplifiedLayerNormalization": { try $0.rootMeanSquareNormalization() },
    "GroupNormalization": { try $0.groupNormalization() },
    "MeanVarianceNormalization": { try $0.meanVarianceNormalization() },
    "LpNormalization": { try $0.powerNormalization() },
    "LRN": { try $0.localResponseNormalization() },
    "Dropout": { try $0.dropout() },
  ]
}

extension KernelCall {
  fileprivate func batchNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    guard x.rank >= 2 else { throw ONNXProgramError(.rank(found: x.rank, needed: "2 or more")) }
    let channels = x.shape[1]
    let operands = try (1..<5).map { try input($0).doubles() }
    guard operands.allSatisfy({ $0.count == channels }) else {
      throw ONNXProgramError(.count(found: operands[0].count, needed: channels))
    }
    let epsilon = Double(try float("epsilon", 1e-5))
    let isTraining = try opset < 7 ? !flag("is_test", false) && outputCount > 1 : flag("training_mode", false)
    var (mean, variance) = (operands[2], operands[3])
    var extra: [ONNXValue] = []
    if isTraining {
      let axes = [0] + (2..<x.rank)
      let momentum = Double(try float("momentum", 0.9))
      let own = try reduce(x.cast(to: .float64), .mean, axes: axes, keeps: true)
      let spread = try binary(x.cast(to: .float64), own, Arithmetic.Difference.self)
      let square = try reduce(spread, .sumOfSquares, axes: axes, keeps: false).doubles()
      let size = Double(channels == 0 ? 1 : x.count / max(channels, 1))
      let (batchMean, batchVariance) = (try own.doubles(), square.map { $0 / size })
      func running(_ old: [Double], _ new: [Double], _ like: Int) throws -> ONNXValue {
        try ONNXValue(shape: [channels], zip(old, new).map { $0 * momentum + $1 * (1 - momentum) }).cast(
          to: dtype(of: input(like)))
      }
      extra = [try running(mean, batchMean, 3), try running(variance, batchVariance, 4)]
      (mean, variance) = (batchMean, batchVariance)
    }
    let scale = zip(operands[0], variance).map { $0 / ($1 + epsilon).squareRoot() }
    let shift = (0..<channels).map { operands[1][$0] - mean[$0] * scale[$0] }
    return [try scaled(x, by: scale, plus: shift, run: x.shape[2...].reduce(1, *))] + extra
  }

  /// Every run of elements times its own factor plus its own shift; factors repeat.
  private func scaled(_ x: ONNXValue, by scale: [Double], plus shift: [Double], run: Int) throws -> ONNXValue {
    guard !scale.isEmpty, run > 0 else { return x }
    if case .float64(var values) = x.elements {
      for index in values.indices {
        values[index] = values[index] * scale[index / run % scale.count] + shift[index / run % scale.count]
      }
      return ONNXValue(shape: x.shape, values)
    }
    var values = try x.floats()
    let (scale, shift) = (scale.map { Float($0) }, shift.map { Float($0) })
    values.withUnsafeMutableBufferPointer { values in
      for start in 0..<(values.count / run) {
        let (factor, addend) = (scale[start % scale.count], shift[start % scale.count])
        for index in (start * run)..<((start + 1) * run) { values[index] = values[index] * factor + addend }
      }
    }
    return try ONNXValue(shape: x.shape, values).cast(to: dtype(of: x))
  }

  /// Mean and inverse deviation of every row of `length` elements.
  private func rowStatistics(_ x: ONNXValue, length: Int, epsilon: Double) throws -> (mean: [Double], inverse: [Double])
  {
    guard length > 0 else { throw ONNXProgramError(.empty) }
    let values = try x.widened.cast(to: x.dtype == .float64 ? .float64 : .float32)
    let rows = values.reshaped([x.count / length, length])
    let mean = try reduce(rows, .mean, axes: [1], keeps: true)
    let spread = try binary(rows, mean, Arithmetic.Difference.self)
    let variance = try reduce(binary(spread, spread, Arithmetic.Product.self), .mean, axes: [1], keeps: false)
    return (try mean.doubles(), try variance.doubles().map { 1 / ($0 + epsilon).squareRoot() })
  }

  fileprivate func instanceNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    let (batch, channels, spatial) = try pictures(x)
    let (scale, bias) = (try input(1).doubles(), try input(2).doubles())
    guard scale.count == channels, bias.count == channels else {
      throw ONNXProgramError(.count(found: scale.count, needed: channels))
    }
    let length = spatial.reduce(1, *)
    let (mean, inverse) = try rowStatistics(x, length: length, epsilon: Double(float("epsilon", 1e-5)))
    let factors = (0..<(batch * channels)).map { scale[$0 % channels] * inverse[$0] }
    let shifts = (0..<(batch * channels)).map { bias[$0 % channels] - mean[$0] * factors[$0] }
    return [try scaled(x, by: factors, plus: shifts, run: length)]
  }

  fileprivate func layerNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    let axis = try self.axis("axis", -1, rank: x.rank)
    let length = x.shape[axis...].reduce(1, *)
    let (mean, inverse) = try rowStatistics(x, length: length, epsilon: Double(float("epsilon", 1e-5)))
    let shifts = zip(mean, inverse).map { -$0 * $1 }
    let wide = try x.widened.cast(to: x.dtype == .float64 ? .float64 : .float32)
    var result = try scaled(wide, by: inverse, plus: shifts, run: length)
    result = try binary(result, input(1).cast(to: dtype(of: result)), Arithmetic.Product.self)
    if let bias = optional(2) { result = try binary(result, bias.cast(to: dtype(of: result)), Arithmetic.Sum.self) }
    guard result.shape == x.shape else { throw ONNXProgramError(.shapesDiffer(x.shape, result.shape)) }
    let shape = Array(x.shape[..<axis]) + [Int](repeating: 1, count: x.rank - axis)
    let statistics = try dtype("stash_type") ?? .float32
    return [
      try result.cast(to: dtype(of: x)), try ONNXValue(shape: shape, mean).cast(to: statistics),
      try ONNXValue(shape: shape, inverse).cast(to: statistics),
    ]
  }

  fileprivate func rootMeanSquareNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    let axis = try self.axis("axis", -1, rank: x.rank)
    let length = x.shape[axis...].reduce(1, *)
    guard length > 0 else { throw ONNXProgramError(.empty) }
    let epsilon = Double(try float("epsilon", 1e-5))
    let wide = try x.widened.cast(to: x.dtype == .float64 ? .float64 : .float32)
    let rows = wide.reshaped([x.count / length, length])
    let squares = try reduce(rows, .sumOfSquares, axes: [1], keeps: false).doubles()
    let inverse = squares.map { 1 / ($0 / Double(length) + epsilon).squareRoot() }
    let result = try scaled(wide, by: inverse, plus: inverse.map { _ in 0 }, run: length)
    return [
      try binary(result, input(1).cast(to: dtype(of: result)), Arithmetic.Product.self).cast(to: dtype(of: x))
    ]
  }

  fileprivate func groupNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    let (batch, channels, spatial) = try pictures(x)
    let groups = try integer("num_groups", 1)
    guard groups >= 1, channels > 0, channels % groups == 0 else {
      throw ONNXProgramError(.size(found: channels, needed: "a multiple of \(groups)"))
    }
    var (scale, bias) = (try input(1).doubles(), try input(2).doubles())
    // Before opset 21 each group had one number.
    if opset < 21, scale.count == groups, bias.count == groups {
      scale = (0..<channels).map { scale[$0 / (channels / groups)] }
      bias = (0..<channels).map { bias[$0 / (channels / groups)] }
    }
    guard scale.count == channels, bias.count == channels else {
      throw ONNXProgramError(.count(found: scale.count, needed: channels))
    }
    let plane = spatial.reduce(1, *)
    let (mean, inverse) = try rowStatistics(
      x, length: channels / groups * plane, epsilon: Double(float("epsilon", 1e-5)))
    let perGroup = channels / groups
    let factors = (0..<(batch * channels)).map { scale[$0 % channels] * inverse[$0 / perGroup] }
    let shifts = (0..<(batch * channels)).map { bias[$0 % channels] - mean[$0 / perGroup] * factors[$0] }
    return [try scaled(x, by: factors, plus: shifts, run: plane)]
  }

  fileprivate func meanVarianceNormalization() throws -> [ONNXValue] {
    let x = try input(0).cast(to: .float64)
    let axes = try self.axes(integers("axes") ?? [0, 2, 3], rank: x.rank)
    let spread = try binary(x, reduce(x, .mean, axes: axes, keeps: true), Arithmetic.Difference.self)
    let squares = try binary(spread, spread, Arithmetic.Product.self)
    let variance = try reduce(squares, .mean, axes: axes, keeps: true)
    let deviation = ONNXValue(shape: variance.shape, try variance.doubles().map { $0.squareRoot() + 1e-9 })
    return [try binary(spread, deviation, Arithmetic.Quotient.self).cast(to: dtype(of: input(0)))]
  }

  fileprivate func powerNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    let axis = try self.axis("axis", -1, rank: x.rank)
    let wide = try x.cast(to: .float64)
    let norm = try reduce(wide, integer("p", 2) == 1 ? .sumOfMagnitudes : .length, axes: [axis], keeps: true)
    // Rows of zeros stay zeros.
    return [
      try combine(wide.doubles(), x.shape, norm.doubles(), norm.shape) { $1 == 0 ? 0 : $0 / $1 }.cast(to: dtype(of: x))
    ]
  }

  fileprivate func localResponseNormalization() throws -> [ONNXValue] {
    let x = try input(0)
    guard x.rank >= 2 else { throw ONNXProgramError(.rank(found: x.rank, needed: "2 or more")) }
    let size = try integer("size", 1)
    guard (1...1 << 20).contains(size) else { throw ONNXProgramError(.badAttribute("size", found: "\(size)")) }
    let (alpha, beta) = (Double(try float("alpha", 1e-4)), Double(try float("beta", 0.75)))
    let offset = Double(try float("bias", 1))
    let values = try x.doubles()
    let (channels, run) = (x.shape[1], x.shape[2...].reduce(1, *))
    let result = values.indices.map { index -> Double in
      let channel = index / run % channels, start = index - channel * run
      let low = max(0, channel - (size - 1) / 2), high = min(channels - 1, channel + size / 2)
      var sum = 0.0
      for other in low...max(low, high) { sum += values[start + other * run] * values[start + other * run] }
      return values[index] / pow(offset + alpha / Double(size) * sum, beta)
    }
    return [try ONNXValue(shape: x.shape, result).cast(to: dtype(of: x))]
  }

  fileprivate func dropout() throws -> [ONNXValue] {
    let x = try input(0)
    let everything = ONNXValue(shape: x.shape, [Bool](repeating: true, count: x.count))
    let ratio = try opset < 12 ? Double(float("ratio", 0.5)) : optional(1)?.doubles().first ?? 0.5
    guard opset >= 12, try optional(2)?.bools().first ?? false, ratio > 0 else { return [x, everything] }
    let kept = (0..<x.count).map { _ in frame.random() >= ratio }
    let factor = ratio < 1 ? 1 / (1 - ratio) : 0
    let values = zip(try x.doubles(), kept).map { $1 ? $0 * factor : 0 }
    return [try ONNXValue(shape: x.shape, values).cast(to: dtype(of: x)), ONNXValue(shape: x.shape, kept)]
  }
}
