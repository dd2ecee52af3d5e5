import ZooCheckpoint

/// What flows through an ONNX program: a dense row-major tensor of any ONNX number type, or a sequence of such.
public struct ONNXValue: Sendable {
  /// Sizes, outermost first; empty for a scalar and for what is no tensor.
  public let shape: [Int]
  let elements: Elements

  /// The elements' type; nil for a sequence or an optional without value.
  public var dtype: DType? { elements.dtype }
  public var count: Int { shape.reduce(1, *) }

  /// Most axes a value may have.
  static let largestRank = 32
  /// More elements than any memory holds; sizes of 0 count as 1, so that no product of sizes overflows.
  static let largestCount = 1 << 40

  init(shape: [Int], _ elements: Elements) {
    self.shape = shape
    self.elements = elements
  }

  init<T: Element>(shape: [Int], _ values: [T]) { self.init(shape: shape, T.wrap(values)) }

  init<T: Element>(scalar: T) { self.init(shape: [], T.wrap([scalar])) }

  /// The number of elements, where it can be one.
  static func elementCount(_ shape: [Int]) -> Int? {
    guard shape.count <= largestRank else { return nil }
    var (count, isEmpty) = (1, false)
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflows) = count.multipliedReportingOverflow(by: max(size, 1))
      guard !overflows, product <= largestCount else { return nil }
      count = product
      isEmpty = isEmpty || size == 0
    }
    return isEmpty ? 0 : count
  }

  var rank: Int { shape.count }

  /// Bytes that the elements take.
  var byteCount: Int {
    switch elements {
    case .sequence(let values): values.reduce(64) { $0 + $1.byteCount }
    case .absent: 0
    default: count * (dtype?.size ?? 0)
    }
  }

  /// Same elements, another shape of as many.
  func reshaped(_ shape: [Int]) -> ONNXValue { ONNXValue(shape: shape, elements) }
}

extension ONNXValue {
  /// - Throws: `TensorError`, `FileError`; `TensorError.notConvertible` for 8-bit floats, which programs don't take.
  public init(_ tensor: Tensor) throws {
    guard Self.elementCount(tensor.shape) != nil else { throw TensorError.tooLarge(shape: tensor.shape) }
    let elements = try tensor.withContiguousBytes { bytes in
      switch tensor.dtype {
      case .float32: Elements.float32(bytes.all())
      case .float64: Elements.float64(bytes.all())
      case .float16: Elements.float16(bytes.all())
      case .bfloat16: Elements.bfloat16(bytes.all())
      case .int8: Elements.int8(bytes.all())
      case .int16: Elements.int16(bytes.all())
      case .int32: Elements.int32(bytes.all())
      case .int64: Elements.int64(bytes.all())
      case .uint8: Elements.uint8(bytes.all())
      case .uint16: Elements.uint16(bytes.all())
      case .uint32: Elements.uint32(bytes.all())
      case .uint64: Elements.uint64(bytes.all())
      case .bool: Elements.bool(bytes.map { $0 != 0 })
      case .float8E4M3, .float8E5M2: Elements.absent
      }
    }
    if case .absent = elements { throw TensorError.notConvertible(from: tensor.dtype, to: .float32) }
    self.init(shape: tensor.shape, elements)
  }

  /// - Throws: `TensorError`, `FileError`.
  public init(_ tensor: FloatTensor) throws {
    guard Self.elementCount(tensor.shape) != nil else { throw TensorError.tooLarge(shape: tensor.shape) }
    self.init(shape: tensor.shape, .float32(try tensor.values()))
  }

  public init(shape: [Int], integers: [Int64]) throws {
    guard Self.elementCount(shape) == integers.count else { throw TensorError.tooLarge(shape: shape) }
    self.init(shape: shape, .int64(integers))
  }

  /// The values as float32, whatever number type they have.
  ///
  /// - Throws: ``ONNXProgramError`` for a sequence.
  public func floatTensor() throws -> FloatTensor {
    guard case .float32(let values) = try cast(to: .float32).elements else { throw ONNXProgramError(.notTensor) }
    return FloatTensor(shape: shape, values: values)
  }

  /// A tensor with these elements in memory of its own.
  ///
  /// - Throws: ``ONNXProgramError`` for a sequence.
  public func tensor() throws -> Tensor {
    guard let dtype, let storage = try elements.accept(Storing()) else { throw ONNXProgramError(.notTensor) }
    return try Tensor(dtype: dtype, shape: shape, storage: storage)
  }

  private struct Storing: ElementVisitor {
    func visit<T: Element>(_ values: [T]) -> MemoryStorage { MemoryStorage(copying: values) }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func all<T: ZooONNXProgram.Element>() -> [T] {
    let count = count / MemoryLayout<T>.stride
    return [T](unsafeUninitializedCapacity: count) { target, initialized in
      let bytes = UnsafeRawBufferPointer(rebasing: self[..<(count * MemoryLayout<T>.stride)])
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
      initialized = count
    }
  }
}
