import ZooCheckpoint

extension ONNXValue {
  /// The elements as another type: floats to integers towards zero, integers to narrower ones by their low bits, anything
  /// but 0 to true.
  ///
  /// - Throws: ``ONNXProgramError`` for a sequence or 8-bit floats.
  func cast(to dtype: DType) throws -> ONNXValue {
    if self.dtype == dtype { return self }
    switch elements {
    case .float16(let values): return try ONNXValue(shape: shape, values.map { Float($0) }).cast(to: dtype)
    case .bfloat16(let values): return try ONNXValue(shape: shape, values.map(\.float)).cast(to: dtype)
    case .bool(let values): return try ONNXValue(shape: shape, values.map { $0 ? UInt8(1) : 0 }).cast(to: dtype)
    default: break
    }
    guard let result = try Elements.acceptNumbers([elements], Caster(dtype: dtype)) else {
      throw ONNXProgramError(.notTensor)
    }
    return ONNXValue(shape: shape, result)
  }

  private struct Caster: NumberVisitor {
    let dtype: DType

    func visit<T: Number>(_ arrays: [[T]]) throws -> Elements {
      let values = arrays[0]
      switch dtype {
      case .float32: return .float32(values.map { Float($0.double) })
      case .float64: return .float64(values.map(\.double))
      case .float16: return .float16(values.map { Float16($0.double) })
      case .bfloat16: return .bfloat16(values.map { BFloat16(Float($0.double)) })
      case .int8: return .int8(values.map { Int8(truncatingIfNeeded: $0.int64) })
      case .int16: return .int16(values.map { Int16(truncatingIfNeeded: $0.int64) })
      case .int32: return .int32(values.map { Int32(truncatingIfNeeded: $0.int64) })
      case .int64: return .int64(values.map(\.int64))
      case .uint8: return .uint8(values.map { UInt8(truncatingIfNeeded: $0.int64) })
      case .uint16: return .uint16(values.map { UInt16(truncatingIfNeeded: $0.int64) })
      case .uint32: return .uint32(values.map { UInt32(truncatingIfNeeded: $0.int64) })
      case .uint64:
        return .uint64(
          values.map { T.isInteger || $0 < T.zero ? UInt64(bitPattern: $0.int64) : UInt64(saturating: $0.double) })
      case .bool: return .bool(values.map { $0 != .zero })
      case .float8E4M3, .float8E5M2:
        throw ONNXProgramError(.dtype(found: dtype, needed: "a type of 16 bits or more, or an integer"))
      }
    }
  }

  /// Half precision as float32, everything else as it is.
  var widened: ONNXValue {
    switch elements {
    case .float16(let values): ONNXValue(shape: shape, values.map { Float($0) })
    case .bfloat16(let values): ONNXValue(shape: shape, values.map(\.float))
    default: self
    }
  }

  /// The elements as float32.
  func floats() throws -> [Float] {
    guard case .float32(let values) = try cast(to: .float32).elements else { throw ONNXProgramError(.notTensor) }
    return values
  }

  func doubles() throws -> [Double] {
    guard case .float64(let values) = try cast(to: .float64).elements else { throw ONNXProgramError(.notTensor) }
    return values
  }

  func bools() throws -> [Bool] {
    guard case .bool(let values) = try cast(to: .bool).elements else { throw ONNXProgramError(.notTensor) }
    return values
  }

  /// Sizes, axes and indices; every one lies within ±2^60, so that adding a few of them is safe.
  func integers() throws -> [Int] {
    guard case .int64(let values) = try cast(to: .int64).elements else { throw ONNXProgramError(.notTensor) }
    return values.map { max(-1 << 60, min(1 << 60, Int($0))) }
  }
}
