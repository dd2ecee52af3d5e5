/// An element type that kernels calculate with; half-precision values are widened to float32 first.
protocol Number: Element, Comparable {
  static var isInteger: Bool { get }
  static var lowest: Self { get }
  static var highest: Self { get }
  /// The nearest value of this type; NaN becomes 0 where there is none.
  init(rounding value: Double)
  var double: Double { get }
  /// Towards zero; what lies beyond becomes the last value, NaN becomes 0. UInt64 keeps its bits.
  var int64: Int64 { get }
  init(wrapping value: Int64)
  static func sum(_ a: Self, _ b: Self) -> Self
  static func difference(_ a: Self, _ b: Self) -> Self
  static func product(_ a: Self, _ b: Self) -> Self
  /// 0 for an integer divided by 0; callers refuse that first.
  static func quotient(_ a: Self, _ b: Self) -> Self
  /// With the sign of the dividend, as C's.
  static func remainder(_ a: Self, _ b: Self) -> Self
  var negated: Self { get }
  var magnitudeValue: Self { get }
}

extension FixedWidthInteger {
  /// Towards zero, without a trap.
  init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= Double(Self.max) {
      self = .max
    } else if value <= Double(Self.min) {
      self = .min
    } else {
      self = Self(value)
    }
  }
}

extension Number where Self: FixedWidthInteger {
  static var isInteger: Bool { true }
  static var lowest: Self { .min }
  static var highest: Self { .max }
  init(rounding value: Double) { self = Self(saturating: value.rounded(.toNearestOrEven)) }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var int64: Int64 { Int64(truncatingIfNeeded: self) }
  @inline(__always) init(wrapping value: Int64) { self.init(truncatingIfNeeded: value) }
  @inline(__always) static func sum(_ a: Self, _ b: Self) -> Self { a &+ b }
  @inline(__always) static func difference(_ a: Self, _ b: Self) -> Self { a &- b }
  @inline(__always) static func product(_ a: Self, _ b: Self) -> Self { a &* b }
  @inline(__always) static func quotient(_ a: Self, _ b: Self) -> Self {
    b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
  }
  @inline(__always) static func remainder(_ a: Self, _ b: Self) -> Self {
    b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
  }
  @inline(__always) var negated: Self { 0 &- self }
  @inline(__always) var magnitudeValue: Self { self < 0 ? 0 &- self : self }
}

extension Number where Self: BinaryFloatingPoint {
  static var isInteger: Bool { false }
  static var lowest: Self { -.infinity }
  static var highest: Self { .infinity }
  @inline(__always) init(rounding value: Double) { self.init(value) }
  @inline(__always) var double: Double { Double(self) }
  @inline(__always) var int64: Int64 { Int64(saturating: Double(self)) }
  @inline(__always) init(wrapping value: Int64) { self.init(value) }
  @inline(__always) static func sum(_ a: Self, _ b: Self) -> Self { a + b }
  @inline(__always) static func difference(_ a: Self, _ b: Self) -> Self { a - b }
  @inline(__always) static func product(_ a: Self, _ b: Self) -> Self { a * b }
  @inline(__always) static func quotient(_ a: Self, _ b: Self) -> Self { a / b }
  @inline(__always) static func remainder(_ a: Self, _ b: Self) -> Self { a.truncatingRemainder(dividingBy: b) }
  @inline(__always) var negated: Self { -self }
  @inline(__always) var magnitudeValue: Self { magnitude }
}

extension Float: Number {}
extension Double: Number {}
extension Int8: Number {}
extension Int16: Number {}
extension Int32: Number {}
extension Int64: Number {}
extension UInt8: Number {}
extension UInt16: Number {}
extension UInt32: Number {}
extension UInt64: Number {}

/// Something done to one or more arrays of one number type.
protocol NumberVisitor {
  associatedtype Result
  func visit<T: Number>(_ values: [[T]]) throws -> Result
}

extension Elements {
  /// Visits arrays of equal number type, half precision widened.
  ///
  /// - Returns: nil where the types differ or can't be calculated with.
  static func acceptNumbers<V: NumberVisitor>(_ all: [Elements], _ visitor: V) throws -> V.Result? {
    guard let first = all.first else { return nil }
    switch first {
    case .float32: return try all.same { if case .float32(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .float64: return try all.same { if case .float64(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .int8: return try all.same { if case .int8(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .int16: return try all.same { if case .int16(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .int32: return try all.same { if case .int32(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .int64: return try all.same { if case .int64(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .uint8: return try all.same { if case .uint8(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .uint16: return try all.same { if case .uint16(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .uint32: return try all.same { if case .uint32(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .uint64: return try all.same { if case .uint64(let values) = $0 { values } else { nil } }.map(visitor.visit)
    case .float16, .bfloat16, .bool, .sequence, .absent: return nil
    }
  }
}

extension [Elements] {
  /// Every array by `unwrap`; nil where one is of another type.
  fileprivate func same<T>(_ unwrap: (Elements) -> [T]?) -> [[T]]? {
    var arrays: [[T]] = []
    for elements in self {
      guard let array = unwrap(elements) else { return nil }
      arrays.append(array)
    }
    return arrays
  }
}
