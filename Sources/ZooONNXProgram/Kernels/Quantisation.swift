import ZooCheckpoint

extension OperatorTable {
  /// Small integers that stand for real numbers.
  static let quantised: [String: Kernel] = [
    "QuantizeLinear": { try $0.quantize() },
    "DequantizeLinear": { try $0.dequantize() },
    "DynamicQuantizeLinear": { try $0.quantizeDynamically() },
    "QLinearMatMul": { try $0.quantizedMatmul() },
    "QLinearConv": { try $0.quantizedConvolution() },
    "MatMulInteger": { try $0.integerMatmul() },
    "ConvInteger": { try $0.integerConvolution() },
  ]
}

extension KernelCall {
  /// For each element of a value, which scale it has: one for all, one along an axis, or one for a block along it.
  private func scaleIndex(_ x: ONNXValue, _ scale: ONNXValue) throws -> (Int) -> Int {
    if scale.count == 1 { return { _ in 0 } }
    let axis = try self.axis("axis", 1, rank: x.rank)
    let run = x.shape[(axis + 1)...].reduce(1, *), size = x.shape[axis]
    if scale.rank == 1, scale.count == size { return { $0 / run % size } }
    let block = try integer("block_size", 0)
    guard block > 0, scale.rank == x.rank,
      scale.shape.indices.allSatisfy({ scale.shape[$0] == ($0 == axis ? (size + block - 1) / block : x.shape[$0]) })
    else { throw ONNXProgramError(.shapesDiffer(x.shape, scale.shape)) }
    let blocks = scale.shape[axis]
    return { ($0 / (run * size) * blocks + $0 / run % size / block) * run + $0 % run }
  }

  private func zeroPoint(_ position: Int, like scale: ONNXValue) throws -> [Double] {
    guard let zero = optional(position) else { return [Double](repeating: 0, count: scale.count) }
    guard zero.count == scale.count else { throw ONNXProgramError(.shapesDiffer(scale.shape, zero.shape)) }
    return try zero.doubles()
  }

  private static func range(_ dtype: DType) throws -> ClosedRange<Double> {
    switch dtype {
    case .uint8: 0...255
    case .int8: -128...127
    case .uint16: 0...65535
    case .int16: -32768...32767
    default: throw ONNXProgramError(.dtype(found: dtype, needed: "integers of 8 or 16 bits"))
    }
  }

  private static func rounded(_ value: Double, _ zero: Double, _ range: ClosedRange<Double>) -> Double {
    let number = value.rounded(.toNearestOrEven) + zero
    return number.isNaN ? zero : min(max(number, range.lowerBound), range.upperBound)
  }

  fileprivate func quantize() throws -> [ONNXValue] {
    let (x, scale) = (try input(0), try input(1))
    let wanted = try dtype("output_dtype") ?? optional(2)?.dtype ?? .uint8
    let range = try Self.range(wanted)
    let index = try scaleIndex(x, scale)
    let (scales, zeros) = (try scale.doubles(), try zeroPoint(2, like: scale))
    // float32 numbers are divided as such: a quotient between two integers must fall to the same side.
    let isSingle = x.dtype == .float32
    let values = try x.doubles().enumerated().map { place, value in
      let which = index(place)
      let quotient = isSingle ? Double(Float(value) / Float(scales[which])) : value / scales[which]
      return Self.rounded(quotient, zeros[which], range)
    }
    return [try ONNXValue(shape: x.shape, values).cast(to: wanted)]
  }

  fileprivate func dequantize() throws -> [ONNXValue] {
    let (x, scale) = (try input(0), try input(1))
    let index = try scaleIndex(x, scale)
    let (scales, zeros) = (try scale.doubles(), try zeroPoint(2, like: scale))
    let values = try x.doubles().enumerated().map { place, value in
      (value - zeros[index(place)]) * scales[index(place)]
    }
    return [try ONNXValue(shape: x.shape, values).cast(to: dtype("output_dtype") ?? dtype(of: scale))]
  }

  fileprivate func quantizeDynamically() throws -> [ONNXValue] {
    let x = try input(0)
    let values = try x.floats()
    let low = min(0, values.min() ?? 0), high = max(0, values.max() ?? 0)
    let scale = (high - low) / 255
    let zero = scale == 0 ? 0 : min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
    let numbers = values.map { Self.rounded(scale == 0 ? 0 : Double($0 / scale), Double(zero), 0...255) }
    return [
      try ONNXValue(shape: x.shape, numbers).cast(to: .uint8), ONNXValue(scalar: scale),
      try ONNXValue(scalar: zero).cast(to: .uint8),
    ]
  }

  /// The operand's integers less their zero points; a list of these belongs to rows of the left or columns of the right.
  private func centred(_ value: ONNXValue, zero: ONNXValue?, isLeft: Bool) throws -> ONNXValue {
    var offset = try zero?.cast(to: .float64) ?? ONNXValue(scalar: 0.0)
    if offset.rank == 1, offset.count > 1, isLeft { offset = offset.reshaped([offset.count, 1]) }
    if offset.count == 1 { offset = offset.reshaped([]) }
    return try binary(value.cast(to: .float64), offset, Arithmetic.Difference.self)
  }

  fileprivate func integerMatmul() throws -> [ONNXValue] {
    let a = try centred(input(0), zero: optional(2), isLeft: true)
    let b = try centred(input(1), zero: optional(3), isLeft: false)
    return [try matmul(a, b).cast(to: .int32)]
  }

  fileprivate func quantizedMatmul() throws -> [ONNXValue] {
    let a = try centred(input(0), zero: input(2), isLeft: true)
    let b = try centred(input(3), zero: input(5), isLeft: false)
    let product = try matmul(a, b)
    var left = try input(1).cast(to: .float64), right = try input(4).cast(to: .float64)
    if left.rank == 1, left.count > 1 {
      left = left.reshaped([left.count, 1])
    } else if left.count == 1 {
      left = left.reshaped([])
    }
    if right.count == 1 { right = right.reshaped([]) }
    let real = try binary(binary(product, left, Arithmetic.Product.self), right, Arithmetic.Product.self)
    return [try requantized(real, scale: input(6), zero: input(7))]
  }

  private func requantized(_ value: ONNXValue, scale: ONNXValue, zero: ONNXValue) throws -> ONNXValue {
    let dtype = try self.dtype(of: zero)
    let range = try Self.range(dtype)
    guard let scale = try scale.doubles().first, let offset = try zero.doubles().first else {
      throw ONNXProgramError(.empty)
    }
    return try ONNXValue(shape: value.shape, value.doubles().map { Self.rounded($0 / scale, offset, range) }).cast(
      to: dtype)
  }

  /// Weights' integers less their zero points, which may differ by output.
  private func centredWeights(_ weight: ONNXValue, zero: ONNXValue?) throws -> ONNXValue {
    var offset = try zero?.cast(to: .float64) ?? ONNXValue(scalar: 0.0)
    offset =
      offset.count == 1
      ? offset.reshaped([]) : offset.reshaped([offset.count] + [Int](repeating: 1, count: max(weight.rank - 1, 0)))
    return try binary(weight.cast(to: .float64), offset, Arithmetic.Difference.self)
  }

  fileprivate func integerConvolution() throws -> [ONNXValue] {
    let x = try centred(input(0), zero: optional(2), isLeft: false)
    return [try convolve(x, centredWeights(input(1), zero: optional(3))).cast(to: .int32)]
  }

  fileprivate func quantizedConvolution() throws -> [ONNXValue] {
    let x = try centred(input(0), zero: input(2), isLeft: false)
    let sum = try convolve(x, centredWeights(input(3), zero: input(5)), bias: optional(8))
    guard let scale = try input(1).doubles().first else { throw ONNXProgramError(.empty) }
    let scales = try input(4).doubles()
    let column = scales.count == 1 ? [] : [scales.count] + [Int](repeating: 1, count: sum.rank - 2)
    let factors = ONNXValue(shape: column, scales.map { $0 * scale })
    return [try requantized(binary(sum, factors, Arithmetic.Product.self), scale: input(6), zero: input(7))]
  }
}
