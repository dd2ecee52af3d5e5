import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Arithmetic on elements.
  static let elementwise: [String: Kernel] = [
    "Add": { try $0.fold(Arithmetic.Sum.self, atMost: 2) },
    "Sub": { try $0.fold(Arithmetic.Difference.self, atMost: 2) },
    "Mul": { try $0.fold(Arithmetic.Product.self, atMost: 2) },
    "Div": { try $0.divide() },
    "Mod": { try $0.modulo() },
    "Pow": { try $0.power() },
    "Max": { try $0.fold(Arithmetic.Larger.self) },
    "Min": { try $0.fold(Arithmetic.Smaller.self) },
    "Sum": { try $0.fold(Arithmetic.Sum.self) },
    "Mean": { try $0.mean() },
    "Abs": { try $0.map(Arithmetic.Magnitude.self) },
    "Neg": { try $0.map(Arithmetic.Negation.self) },
    "Sign": { try $0.map(Arithmetic.Sign.self) },
    "Ceil": {
      try $0.mapReal {
        $0.rounded(.up)
      } _: {
        $0.rounded(.up)
      }
    },
    "Floor": {
      try $0.mapReal {
        $0.rounded(.down)
      } _: {
        $0.rounded(.down)
      }
    },
    "Round": {
      try $0.mapReal {
        $0.rounded(.toNearestOrEven)
      } _: {
        $0.rounded(.toNearestOrEven)
      }
    },
    "Sqrt": {
      try $0.mapReal {
        $0.squareRoot()
      } _: {
        $0.squareRoot()
      }
    },
    "Reciprocal": {
      try $0.mapReal {
        1 / $0
      } _: {
        1 / $0
      }
    },
    "Exp": {
      try $0.mapReal {
        exp($0)
      } _: {
        exp($0)
      }
    },
    "Log": {
      try $0.mapReal {
        log($0)
      } _: {
        log($0)
      }
    },
    "Erf": {
      try $0.mapReal {
        erf($0)
      } _: {
        erf($0)
      }
    },
    "Sin": {
      try $0.mapReal {
        sin($0)
      } _: {
        sin($0)
      }
    },
    "Cos": {
      try $0.mapReal {
        cos($0)
      } _: {
        cos($0)
      }
    },
    "Tan": {
      try $0.mapReal {
        tan($0)
      } _: {
        tan($0)
      }
    },
    "Asin": {
      try $0.mapReal {
        asin($0)
      } _: {
        asin($0)
      }
    },
    "Acos": {
      try $0.mapReal {
        acos($0)
      } _: {
        acos($0)
      }
    },
    "Atan": {
      try $0.mapReal {
        atan($0)
      } _: {
        atan($0)
      }
    },
    "Sinh": {
      try $0.mapReal {
        sinh($0)
      } _: {
        sinh($0)
      }
    },
    "Cosh": {
      try $0.mapReal {
        cosh($0)
      } _: {
        cosh($0)
      }
    },
    "Tanh": {
      try $0.mapReal {
        tanh($0)
      } _: {
        tanh($0)
      }
    },
    "Asinh": {
      try $0.mapReal {
        asinh($0)
      } _: {
        asinh($0)
      }
    },
    "Acosh": {
      try $0.mapReal {
        acosh($0)
      } _: {
        acosh($0)
      }
    },
    "Atanh": {
      try $0.mapReal {
        atanh($0)
      } _: {
        atanh($0)
      }
    },
    "Clip": { try $0.clip() },
  ]
}

/// An operation on numbers of one type.
protocol BinaryOperation {
  static func apply<T: Number>(_ a: T, _ b: T) -> T
}

protocol UnaryOperation {
  static func apply<T: Number>(_ x: T) -> T
}

enum Arithmetic {
  enum Sum: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { .sum(a, b) }
  }
  enum Difference: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { .difference(a, b) }
  }
  enum Product: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { .product(a, b) }
  }
  enum Quotient: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { .quotient(a, b) }
  }
  /// C's fmod.
  enum Remainder: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { .remainder(a, b) }
  }
  /// Python's %: with the sign of the divisor.
  enum Modulus: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T {
      let rest = T.remainder(a, b)
      return rest != .zero && (rest < .zero) != (b < .zero) ? .sum(rest, b) : rest
    }
  }
  /// NaN where one is NaN.
  enum Larger: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { a != a ? a : (b != b || b > a) ? b : a }
  }
  enum Smaller: BinaryOperation {
    @inline(__always) static func apply<T: Number>(_ a: T, _ b: T) -> T { a != a ? a : (b != b || b < a) ? b : a }
  }
  enum Magnitude: UnaryOperation {
    @inline(__always) static func apply<T: Number>(_ x: T) -> T { x.magnitudeValue }
  }
  enum Negation: UnaryOperation {
    @inline(__always) static func apply<T: Number>(_ x: T) -> T { x.negated }
  }
  enum Sign: UnaryOperation {
    @inline(__always) static func apply<T: Number>(_ x: T) -> T {
      x > .zero ? T(wrapping: 1) : x < .zero ? T(wrapping: -1) : x
    }
  }
}

private struct BinaryVisitor<Operation: BinaryOperation>: NumberVisitor {
  let call: KernelCall
  let shapes: [[Int]]

  func visit<T: Number>(_ arrays: [[T]]) throws -> ONNXValue {
    try call.combine(arrays[0], shapes[0], arrays[1], shapes[1]) { Operation.apply($0, $1) }
  }
}

private struct UnaryVisitor<Operation: UnaryOperation>: NumberVisitor {
  func visit<T: Number>(_ arrays: [[T]]) -> Elements { T.wrap(arrays[0].map { Operation.apply($0) }) }
}

extension KernelCall {
  /// Two values of one type, combined; half precision by way of float32.
  func binary<Operation: BinaryOperation>(
    _ a: ONNXValue, _ b: ONNXValue, _ operation: Operation.Type
  ) throws -> ONNXValue {
    let dtype = try self.dtype(of: a)
    guard b.dtype == dtype else { throw ONNXProgramError(.dtype(found: b.dtype, needed: dtype.name)) }
    let (wideA, wideB) = (a.widened, b.widened)
    let visitor = BinaryVisitor<Operation>(call: self, shapes: [a.shape, b.shape])
    guard let result = try Elements.acceptNumbers([wideA.elements, wideB.elements], visitor) else {
      throw ONNXProgramError(.dtype(found: dtype, needed: "numbers"))
    }
    return try result.cast(to: dtype)
  }

  /// Before opset 7 the second operand lay along `axis` of the first.
  private func aligned(_ values: [ONNXValue]) throws -> [ONNXValue] {
    guard opset < 7, values.count == 2, try flag("broadcast", false), step.node.attributes["axis"] != nil else {
      return values
    }
    let axis = try axis("axis", 0, rank: values[0].rank)
    let after = values[0].rank - axis - values[1].rank
    guard after > 0 else { return values }
    return [values[0], values[1].reshaped(values[1].shape + [Int](repeating: 1, count: after))]
  }

  func fold<Operation: BinaryOperation>(_ operation: Operation.Type, atMost: Int? = nil) throws -> [ONNXValue] {
    let values = try aligned(given())
    if let atMost, values.count != atMost { throw ONNXProgramError(.missingInput(position: values.count)) }
    var result = values[0]
    for value in values.dropFirst() { result = try binary(result, value, operation) }
    return [result]
  }

  func map<Operation: UnaryOperation>(_ operation: Operation.Type) throws -> [ONNXValue] {
    let value = try input(0)
    let dtype = try self.dtype(of: value)
    guard let result = try Elements.acceptNumbers([value.widened.elements], UnaryVisitor<Operation>()) else {
      throw ONNXProgramError(.dtype(found: dtype, needed: "numbers"))
    }
    return [try ONNXValue(shape: value.shape, result).cast(to: dtype)]
  }

  /// A function of real numbers; half precision by way of float32.
  @inline(__always)
  func mapReal(_ single: (Float) -> Float, _ double: (Double) -> Double) throws -> [ONNXValue] {
    [try real(input(0), single, double)]
  }

  @inline(__always)
  func real(_ value: ONNXValue, _ single: (Float) -> Float, _ double: (Double) -> Double) throws -> ONNXValue {
    switch value.elements {
    case .float32(let values): return ONNXValue(shape: value.shape, values.map(single))
    case .float64(let values): return ONNXValue(shape: value.shape, values.map(double))
    case .float16(let values): return ONNXValue(shape: value.shape, values.map { Float16(single(Float($0))) })
    case .bfloat16(let values): return ONNXValue(shape: value.shape, values.map { BFloat16(single($0.float)) })
    default: throw ONNXProgramError(.dtype(found: value.dtype, needed: "floating-point numbers"))
    }
  }

  /// A function of real numbers with a parameter or more, where speed matters less.
  @inline(__always)
  func mapDouble(_ body: (Double) -> Double) throws -> [ONNXValue] {
    try mapReal({ Float(body(Double($0))) }, body)
  }

  private func refuseZero(_ divisor: ONNXValue) throws {
    guard let dtype = divisor.dtype, !dtype.isFloatingPoint else { return }
    guard try divisor.integers().allSatisfy({ $0 != 0 }) else { throw ONNXProgramError(.divisionByZero) }
  }

  fileprivate func divide() throws -> [ONNXValue] {
    try refuseZero(input(1))
    return try fold(Arithmetic.Quotient.self, atMost: 2)
  }

  fileprivate func modulo() throws -> [ONNXValue] {
    try refuseZero(input(1))
    return try flag("fmod", false)
      ? fold(Arithmetic.Remainder.self, atMost: 2) : fold(Arithmetic.Modulus.self, atMost: 2)
  }

  fileprivate func power() throws -> [ONNXValue] {
    let (base, exponent) = (try input(0), try input(1))
    let dtype = try self.dtype(of: base)
    if case .float32(let values) = base.elements, exponent.count == 1, exponent.rank <= base.rank {
      let power = try exponent.floats()[0]
      if power == 2 { return [ONNXValue(shape: base.shape, values.map { $0 * $0 })] }
      if power == 0.5 { return [ONNXValue(shape: base.shape, values.map { $0.squareRoot() })] }
      return [ONNXValue(shape: base.shape, values.map { powf($0, power) })]
    }
    return [
      try combine(base.doubles(), base.shape, exponent.doubles(), exponent.shape) { pow($0, $1) }.cast(to: dtype)
    ]
  }

  fileprivate func mean() throws -> [ONNXValue] {
    let count = Double(try given().count)
    return [try real(fold(Arithmetic.Sum.self)[0], { $0 / Float(count) }, { $0 / count })]
  }

  fileprivate func clip() throws -> [ONNXValue] {
    var value = try input(0)
    let dtype = try self.dtype(of: value)
    if opset < 11 {
      let (low, high) = (try float("min", -.greatestFiniteMagnitude), try float("max", .greatestFiniteMagnitude))
      return [try real(value, { min(max($0, low), high) }, { min(max($0, Double(low)), Double(high)) })]
    }
    if let low = optional(1) { value = try binary(value, low.cast(to: dtype), Arithmetic.Larger.self) }
    if let high = optional(2) { value = try binary(value, high.cast(to: dtype), Arithmetic.Smaller.self) }
    return [value]
  }
}
