import ZooCheckpoint

extension OperatorTable {
  /// Comparisons, logic and bits.
  static let comparison: [String: Kernel] = [
    "Equal": { try $0.compare(Comparison.Equal.self) },
    "Less": { try $0.compare(Comparison.Less.self) },
    "LessOrEqual": { try $0.compare(Comparison.LessOrEqual.self) },
    "Greater": { try $0.compare(Comparison.Greater.self) },
    "GreaterOrEqual": { try $0.compare(Comparison.GreaterOrEqual.self) },
    "And": { try $0.logic { $0 && $1 } },
    "Or": { try $0.logic { $0 || $1 } },
    "Xor": { try $0.logic { $0 != $1 } },
    "Not": { [ONNXValue(shape: try $0.input(0).shape, try $0.input(0).bools().map { !$0 })] },
    "IsNaN": { [ONNXValue(shape: try $0.input(0).shape, try $0.input(0).doubles().map(\.isNaN))] },
    "IsInf": { try $0.isInfinite() },
    "BitwiseAnd": { try $0.bits { $0 & $1 } },
    "BitwiseOr": { try $0.bits { $0 | $1 } },
    "BitwiseXor": { try $0.bits { $0 ^ $1 } },
    "BitwiseNot": { try $0.bitwiseNot() },
    "BitShift": { try $0.shift() },
    "Where": { try $0.choose() },
  ]
}

protocol ComparingOperation {
  static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool
}

enum Comparison {
  enum Equal: ComparingOperation {
    @inline(__always) static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool { a == b }
  }
  enum Less: ComparingOperation {
    @inline(__always) static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool { a < b }
  }
  enum LessOrEqual: ComparingOperation {
    @inline(__always) static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool { a <= b }
  }
  enum Greater: ComparingOperation {
    @inline(__always) static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool { a > b }
  }
  enum GreaterOrEqual: ComparingOperation {
    @inline(__always) static func apply<T: Comparable>(_ a: T, _ b: T) -> Bool { a >= b }
  }
}

private struct ComparingVisitor<Operation: ComparingOperation>: NumberVisitor {
  let call: KernelCall
  let shapes: [[Int]]

  func visit<T: Number>(_ arrays: [[T]]) throws -> ONNXValue {
    try call.combine(arrays[0], shapes[0], arrays[1], shapes[1]) { Operation.apply($0, $1) }
  }
}

private struct ChoosingVisitor: ElementVisitor {
  let call: KernelCall
  let condition: [Bool]
  let shape: [Int]
  let other: ONNXValue

  func visit<T: Element>(_ values: [T]) throws -> Elements? {
    guard let others = try other.elements.accept(Unwrapping<T>()) ?? nil else { return nil }
    return T.wrap(condition.indices.map { condition[$0] ? values[$0] : others[$0] })
  }
}

/// The elements as those of one certain type; nil where they are of another.
struct Unwrapping<Wanted: Element>: ElementVisitor {
  func visit<T: Element>(_ values: [T]) -> [Wanted]? { values as? [Wanted] }
}

extension KernelCall {
  fileprivate func compare<Operation: ComparingOperation>(_ operation: Operation.Type) throws -> [ONNXValue] {
    var (a, b) = (try input(0).widened, try input(1).widened)
    if a.dtype == .bool { (a, b) = (try a.cast(to: .uint8), try b.cast(to: .uint8)) }
    guard a.dtype == b.dtype else {
      throw ONNXProgramError(.dtype(found: b.dtype, needed: a.dtype?.name ?? "a tensor"))
    }
    let visitor = ComparingVisitor<Operation>(call: self, shapes: [a.shape, b.shape])
    guard let result = try Elements.acceptNumbers([a.elements, b.elements], visitor) else {
      throw ONNXProgramError(.notTensor)
    }
    return [result]
  }

  @inline(__always)
  fileprivate func logic(_ operation: (Bool, Bool) -> Bool) throws -> [ONNXValue] {
    let (a, b) = (try input(0), try input(1))
    return [try combine(a.bools(), a.shape, b.bools(), b.shape, operation)]
  }

  /// Integers of any width, as the 64 bits that they widen to.
  private func words(_ value: ONNXValue) throws -> [Int64] {
    guard let dtype = value.dtype, !dtype.isFloatingPoint, case .int64(let words) = try value.cast(to: .int64).elements
    else { throw ONNXProgramError(.dtype(found: value.dtype, needed: "integers")) }
    return words
  }

  @inline(__always)
  fileprivate func bits(_ operation: (Int64, Int64) -> Int64) throws -> [ONNXValue] {
    let (a, b) = (try input(0), try input(1))
    return [try combine(words(a), a.shape, words(b), b.shape, operation).cast(to: dtype(of: a))]
  }

  fileprivate func bitwiseNot() throws -> [ONNXValue] {
    let value = try input(0)
    return [try ONNXValue(shape: value.shape, words(value).map { ~$0 }).cast(to: dtype(of: value))]
  }

  fileprivate func shift() throws -> [ONNXValue] {
    let (a, b) = (try input(0), try input(1))
    let isLeft = try string("direction", "LEFT") == "LEFT"
    // Shifting by the width or more, or by less than nothing, leaves the sign only.
    let isUnsigned = a.dtype == .uint64
    let result = try combine(words(a), a.shape, words(b), b.shape) { value, steps -> Int64 in
      let steps = UInt64(bitPattern: steps)
      if isLeft { return value << steps }
      return isUnsigned ? Int64(bitPattern: UInt64(bitPattern: value) >> steps) : value >> steps
    }
    return [try result.cast(to: dtype(of: a))]
  }

  fileprivate func isInfinite() throws -> [ONNXValue] {
    let value = try input(0)
    let (negative, positive) = (try flag("detect_negative", true), try flag("detect_positive", true))
    return [
      ONNXValue(shape: value.shape, try value.doubles().map { $0.isInfinite && ($0 < 0 ? negative : positive) })
    ]
  }

  fileprivate func choose() throws -> [ONNXValue] {
    var (condition, a, b) = (try input(0), try input(1), try input(2))
    let shape = try broadcastShape([condition.shape, a.shape, b.shape])
    (condition, a, b) = (try expanded(condition, to: shape), try expanded(a, to: shape), try expanded(b, to: shape))
    let visitor = ChoosingVisitor(call: self, condition: try condition.bools(), shape: shape, other: b)
    guard let elements = try a.elements.accept(visitor) ?? nil else {
      throw ONNXProgramError(.dtype(found: b.dtype, needed: a.dtype?.name ?? "a tensor"))
    }
    return [ONNXValue(shape: shape, elements)]
  }
}
