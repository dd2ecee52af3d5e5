import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Activation functions; the numbers are the operators' published defaults.
  static let activations: [String: Kernel] = [
    "Relu": { try $0.relu() },
    "LeakyRelu": {
      let alpha = try $0.float("alpha", 0.01)
      return try $0.mapReal {
        $0 < 0 ? alpha * $0 : $0
      } _: {
        $0 < 0 ? Double(alpha) * $0 : $0
      }
    },
    "PRelu": { try $0.parametricRelu() },
    "ThresholdedRelu": {
      let alpha = Double(try $0.float("alpha", 1))
      return try $0.mapDouble { $0 > alpha ? $0 : 0 }
    },
    "Elu": {
      let alpha = Double(try $0.float("alpha", 1))
      return try $0.mapDouble { $0 < 0 ? alpha * (exp($0) - 1) : $0 }
    },
    "Selu": {
      let (alpha, gamma) = (Double(try $0.float("alpha", 1.673_263_2)), Double(try $0.float("gamma", 1.050_701)))
      return try $0.mapDouble { gamma * ($0 > 0 ? $0 : alpha * (exp($0) - 1)) }
    },
    "Celu": {
      let alpha = Double(try $0.float("alpha", 1))
      return try $0.mapDouble { max(0, $0) + min(0, alpha * (exp($0 / alpha) - 1)) }
    },
    "Gelu": {
      if try $0.string("approximate", "none") == "tanh" {
        return try $0.mapReal {
          0.5 * $0 * (1 + tanh(0.797_884_6 * ($0 + 0.044_715 * $0 * $0 * $0)))
        } _: {
          0.5 * $0 * (1 + tanh(0.797_884_560_802_865_4 * ($0 + 0.044_715 * $0 * $0 * $0)))
        }
      }
      return try $0.mapReal {
        0.5 * $0 * (1 + erf($0 * 0.707_106_77))
      } _: {
        0.5 * $0 * (1 + erf($0 / 2.0.squareRoot()))
      }
    },
    "Sigmoid": {
      try $0.mapReal {
        1 / (1 + exp(-$0))
      } _: {
        1 / (1 + exp(-$0))
      }
    },
    "HardSigmoid": {
      let (alpha, beta) = (try $0.float("alpha", 0.2), try $0.float("beta", 0.5))
      return try $0.mapReal {
        max(0, min(1, alpha * $0 + beta))
      } _: {
        max(0, min(1, Double(alpha) * $0 + Double(beta)))
      }
    },
    "HardSwish": {
      try $0.mapReal {
        $0 * max(0, min(1, $0 / 6 + 0.5))
      } _: {
        $0 * max(0, min(1, $0 / 6 + 0.5))
      }
    },
    "Swish": {
      let alpha = try $0.float("alpha", 1)
      return try $0.mapReal {
        $0 / (1 + exp(-alpha * $0))
      } _: {
        $0 / (1 + exp(-Double(alpha) * $0))
      }
    },
    "Mish": { try $0.mapDouble { $0 * tanh(log1p(exp($0))) } },
    "Softplus": { try $0.mapDouble { $0 > 30 ? $0 : log1p(exp($0)) } },
    "Softsign": {
      try $0.mapReal {
        $0 / (1 + abs($0))
      } _: {
        $0 / (1 + abs($0))
      }
    },
    "Shrink": {
      let (bias, limit) = (Double(try $0.float("bias", 0)), Double(try $0.float("lambd", 0.5)))
      return [
        try ONNXValue(
          shape: $0.input(0).shape,
          $0.input(0).doubles().map { $0 < -limit ? $0 + bias : $0 > limit ? $0 - bias : 0 }
        ).cast(to: $0.dtype(of: $0.input(0)))
      ]
    },
    "Softmax": { try $0.softmax(.plain) },
    "LogSoftmax": { try $0.softmax(.logarithm) },
    "Hardmax": { try $0.softmax(.largest) },
    "SwiGLU": { try $0.swishGated() },
  ]
}

private struct RectifyingVisitor: NumberVisitor {
  func visit<T: Number>(_ arrays: [[T]]) -> Elements { T.wrap(arrays[0].map { $0 < .zero ? .zero : $0 }) }
}

private struct RectifyingSlopes: NumberVisitor {
  let call: KernelCall
  let shapes: [[Int]]

  func visit<T: Number>(_ arrays: [[T]]) throws -> ONNXValue {
    try call.combine(arrays[0], shapes[0], arrays[1], shapes[1]) { x, slope in x < .zero ? T.product(x, slope) : x }
  }
}

enum SoftmaxKind { case plain, logarithm, largest }

extension KernelCall {
  fileprivate func relu() throws -> [ONNXValue] {
    let value = try input(0)
    let dtype = try self.dtype(of: value)
    if case .float32(let values) = value.elements { return [ONNXValue(shape: value.shape, values.map { max($0, 0) })] }
    guard let result = try Elements.acceptNumbers([value.widened.elements], RectifyingVisitor()) else {
      throw ONNXProgramError(.dtype(found: dtype, needed: "numbers"))
    }
    return [try ONNXValue(shape: value.shape, result).cast(to: dtype)]
  }

  fileprivate func parametricRelu() throws -> [ONNXValue] {
    let (value, slope) = (try input(0).widened, try input(1).widened)
    let visitor = RectifyingSlopes(call: self, shapes: [value.shape, slope.shape])
    guard let result = try Elements.acceptNumbers([value.elements, slope.elements], visitor) else {
      throw ONNXProgramError(.dtype(found: slope.dtype, needed: value.dtype?.name ?? "numbers"))
    }
    return [try result.cast(to: dtype(of: input(0)))]
  }

  /// Before opset 13 everything from the axis on is one row; since then the axis alone.
  fileprivate func softmax(_ kind: SoftmaxKind) throws -> [ONNXValue] {
    let value = try input(0)
    let dtype = try self.dtype(of: value)
    if value.rank == 0 {
      return [try ONNXValue(scalar: kind == .logarithm ? Float(0) : 1).cast(to: dtype)]
    }
    if opset < 13 {
      let axis = try self.axis("axis", 1, rank: value.rank == 1 && step.node.attributes["axis"] == nil ? 2 : value.rank)
      let outer = value.shape[..<min(axis, value.rank)].reduce(1, *)
      let matrix = value.reshaped([outer, outer == 0 ? 0 : value.count / outer])
      return [try softmax(matrix, axis: 1, kind).reshaped(value.shape)]
    }
    return [try softmax(value, axis: axis("axis", -1, rank: value.rank), kind)]
  }

  func softmax(_ value: ONNXValue, axis: Int, _ kind: SoftmaxKind) throws -> ONNXValue {
    let dtype = try self.dtype(of: value)
    if axis != value.rank - 1 {
      var order = Array(0..<value.rank)
      order.swapAt(axis, value.rank - 1)
      return try transposed(softmax(transposed(value, order), axis: value.rank - 1, kind), order)
    }
    let length = value.shape[axis]
    if case .float64(var values) = value.elements {
      Self.softmaxRows(&values, length, kind) {
        exp($0)
      } _: {
        log($0)
      }
      return ONNXValue(shape: value.shape, values)
    }
    var values = try value.floats()
    Self.softmaxRows(&values, length, kind) {
      exp($0)
    } _: {
      log($0)
    }
    return try ONNXValue(shape: value.shape, values).cast(to: dtype)
  }

  @inline(__always)
  private static func softmaxRows<T: BinaryFloatingPoint>(
    _ values: inout [T], _ length: Int, _ kind: SoftmaxKind, _ exponential: (T) -> T, _ logarithm: (T) -> T
  ) {
    guard length > 0 else { return }
    values.withUnsafeMutableBufferPointer { values in
      for start in stride(from: 0, to: values.count, by: length) {
        var (largest, place) = (values[start], start)
        for index in start..<(start + length) where values[index] > largest {
          (largest, place) = (values[index], index)
        }
        if kind == .largest {
          for index in start..<(start + length) { values[index] = index == place ? 1 : 0 }
          continue
        }
        // A row of -infinity only, which masks leave, would else be NaN from infinity minus infinity: NaN is the answer.
        var sum: T = 0
        if kind == .plain {
          for index in start..<(start + length) {
            values[index] = exponential(values[index] - largest)
            sum += values[index]
          }
          let scale = 1 / sum
          for index in start..<(start + length) { values[index] *= scale }
        } else {
          for index in start..<(start + length) { sum += exponential(values[index] - largest) }
          let shift = largest + logarithm(sum)
          for index in start..<(start + length) { values[index] -= shift }
        }
      }
    }
  }
}
