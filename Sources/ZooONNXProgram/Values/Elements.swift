import ZooCheckpoint

/// The elements of a value, row-major, in Swift's own type for each ONNX type.
enum Elements: Sendable {
  case float32([Float])
  case float64([Double])
  case float16([Float16])
  case bfloat16([BFloat16])
  case int8([Int8])
  case int16([Int16])
  case int32([Int32])
  case int64([Int64])
  case uint8([UInt8])
  case uint16([UInt16])
  case uint32([UInt32])
  case uint64([UInt64])
  case bool([Bool])
  case sequence([ONNXValue])
  /// An optional without a value.
  case absent
}

/// A type that elements may have. What only moves elements is generic over it.
protocol Element: BitwiseCopyable, Sendable {
  static var dtype: DType { get }
  static var zero: Self { get }
  static func wrap(_ values: [Self]) -> Elements
}

/// Something done to elements of whichever type they turn out to have.
protocol ElementVisitor {
  associatedtype Result
  func visit<T: Element>(_ values: [T]) throws -> Result
}

extension Elements {
  /// - Returns: nil where these are no tensor's.
  func accept<V: ElementVisitor>(_ visitor: V) throws -> V.Result? {
    switch self {
    case .float32(let values): try visitor.visit(values)
    case .float64(let values): try visitor.visit(values)
    case .float16(let values): try visitor.visit(values)
    case .bfloat16(let values): try visitor.visit(values)
    case .int8(let values): try visitor.visit(values)
    case .int16(let values): try visitor.visit(values)
    case .int32(let values): try visitor.visit(values)
    case .int64(let values): try visitor.visit(values)
    case .uint8(let values): try visitor.visit(values)
    case .uint16(let values): try visitor.visit(values)
    case .uint32(let values): try visitor.visit(values)
    case .uint64(let values): try visitor.visit(values)
    case .bool(let values): try visitor.visit(values)
    case .sequence, .absent: nil
    }
  }

  /// nil where these are no tensor's.
  var dtype: DType? {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    case .bool: .bool
    case .sequence, .absent: nil
    }
  }
}

extension Float: Element {
  static var dtype: DType { .float32 }
  static func wrap(_ values: [Float]) -> Elements { .float32(values) }
}
extension Double: Element {
  static var dtype: DType { .float64 }
  static func wrap(_ values: [Double]) -> Elements { .float64(values) }
}
extension Float16: Element {
  static var dtype: DType { .float16 }
  static func wrap(_ values: [Float16]) -> Elements { .float16(values) }
}
extension BFloat16: Element {
  static var dtype: DType { .bfloat16 }
  static func wrap(_ values: [BFloat16]) -> Elements { .bfloat16(values) }
}
extension Int8: Element {
  static var dtype: DType { .int8 }
  static func wrap(_ values: [Int8]) -> Elements { .int8(values) }
}
extension Int16: Element {
  static var dtype: DType { .int16 }
  static func wrap(_ values: [Int16]) -> Elements { .int16(values) }
}
extension Int32: Element {
  static var dtype: DType { .int32 }
  static func wrap(_ values: [Int32]) -> Elements { .int32(values) }
}
extension Int64: Element {
  static var dtype: DType { .int64 }
  static func wrap(_ values: [Int64]) -> Elements { .int64(values) }
}
extension UInt8: Element {
  static var dtype: DType { .uint8 }
  static func wrap(_ values: [UInt8]) -> Elements { .uint8(values) }
}
extension UInt16: Element {
  static var dtype: DType { .uint16 }
  static func wrap(_ values: [UInt16]) -> Elements { .uint16(values) }
}
extension UInt32: Element {
  static var dtype: DType { .uint32 }
  static func wrap(_ values: [UInt32]) -> Elements { .uint32(values) }
}
extension UInt64: Element {
  static var dtype: DType { .uint64 }
  static func wrap(_ values: [UInt64]) -> Elements { .uint64(values) }
}
extension Bool: Element {
  static var dtype: DType { .bool }
  static var zero: Bool { false }
  static func wrap(_ values: [Bool]) -> Elements { .bool(values) }
}
