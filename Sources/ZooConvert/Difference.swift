import ZooCheckpoint

/// How two state dicts differ, tensor by tensor.
public struct Difference: Sendable, Encodable {
  public struct Entry: Sendable, Encodable {
    public enum Kind: String, Sendable, Encodable {
      case onlyFirst, onlySecond, shape, dtype, values
    }
    public let name: String
    public let kind: Kind
    public let first: String
    public let second: String
    /// Largest absolute difference of values, where shapes agree; infinite where one value is not a number.
    public let maximum: Double?
  }
  /// Everything that differs, in the order of the first file.
  public private(set) var entries: [Entry] = []
  /// Tensors that are equal within the tolerance.
  public private(set) var equal = 0

  /// - Parameter tolerance: differences of values up to this are none.
  /// - Throws: ``TensorError``, ``FileError``.
  public init(_ first: StateDict, _ second: StateDict, tolerance: Double = 0) throws {
    for (name, tensor) in first.tensors {
      guard let other = second[name] else {
        entries.append(Entry(name: name, kind: .onlyFirst, first: Self.describe(tensor), second: "", maximum: nil))
        continue
      }
      let (here, there) = (Self.describe(tensor), Self.describe(other))
      guard tensor.shape == other.shape else {
        entries.append(Entry(name: name, kind: .shape, first: here, second: there, maximum: nil))
        continue
      }
      let maximum = try Self.maximum(tensor, other)
      if maximum > tolerance {
        entries.append(Entry(name: name, kind: .values, first: here, second: there, maximum: maximum))
      } else if tensor.dtype != other.dtype {
        entries.append(Entry(name: name, kind: .dtype, first: here, second: there, maximum: maximum))
      } else {
        equal += 1
      }
    }
    for (name, tensor) in second.tensors where first[name] == nil {
      entries.append(Entry(name: name, kind: .onlySecond, first: "", second: Self.describe(tensor), maximum: nil))
    }
  }

  private static func describe(_ tensor: Tensor) -> String {
    "\(tensor.dtype.name) [\(tensor.shape.map(String.init).joined(separator: ", "))]"
  }

  private static func maximum(_ first: Tensor, _ second: Tensor) throws -> Double {
    if first.dtype == second.dtype {
      let same = try first.withContiguousBytes { a in
        try second.withContiguousBytes { a.elementsEqual($0, compared: first.byteCount) }
      }
      if same { return 0 }
      // Float32 doesn't hold every value of these.
      switch first.dtype {
      case .float64: return try maximum(first, second, as: Double.self) { abs($0 - $1) }
      case .int64: return try maximum(first, second, as: Int64.self, Self.distance)
      case .int32: return try maximum(first, second, as: Int32.self, Self.distance)
      case .uint64: return try maximum(first, second, as: UInt64.self, Self.distance)
      case .uint32: return try maximum(first, second, as: UInt32.self, Self.distance)
      default: break
      }
    }
    return try FloatTensor(first).withValues { a in
      try FloatTensor(second).withValues { b in
        var maximum = 0.0
        for index in a.indices {
          if a[index] == b[index] || a[index].isNaN && b[index].isNaN { continue }
          let difference = abs(Double(a[index]) - Double(b[index]))
          maximum = max(maximum, difference.isNaN ? .infinity : difference)
        }
        return maximum
      }
    }
  }

  private static func maximum<Value: Numeric & BitwiseCopyable>(
    _ first: Tensor, _ second: Tensor, as type: Value.Type, _ distance: (Value, Value) -> Double
  ) throws -> Double {
    try first.withContiguousBytes { a in
      try second.withContiguousBytes { b in
        var maximum = 0.0
        for place in stride(from: 0, to: first.byteCount, by: MemoryLayout<Value>.size) {
          let one = a.loadUnaligned(fromByteOffset: place, as: type)
          let other = b.loadUnaligned(fromByteOffset: place, as: type)
          // A value that is not a number is unequal to itself.
          if one == other || one != one && other != other { continue }
          let difference = distance(one, other)
          maximum = max(maximum, difference.isNaN ? .infinity : difference)
        }
        return maximum
      }
    }
  }

  private static func distance<Integer: FixedWidthInteger>(_ one: Integer, _ other: Integer) -> Double {
    Double(Integer.Magnitude(truncatingIfNeeded: max(one, other) &- min(one, other)))
  }
}

extension UnsafeRawBufferPointer {
  /// Whether `count` bytes are the same in both.
  fileprivate func elementsEqual(_ other: UnsafeRawBufferPointer, compared count: Int) -> Bool {
    guard count > 0, let a = baseAddress, let b = other.baseAddress else { return true }
    return memcmp(a, b, count) == 0
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
