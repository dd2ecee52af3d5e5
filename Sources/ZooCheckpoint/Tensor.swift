/// A tensor of a state dict: a strided view of stored bytes, as PyTorch's tensors are.
///
/// Nothing is read until asked for. Several tensors may share one storage (tied weights).
public struct Tensor: Sendable {
  public let dtype: DType
  /// Sizes, outermost first; empty for a scalar.
  public let shape: [Int]
  /// Steps in elements, one a dimension; 0 repeats an element.
  public let strides: [Int]
  /// First element, counted in elements from the start of the storage.
  public let storageOffset: Int
  public let storage: any ByteStorage
  /// True where the stored elements are big-endian.
  public let isByteSwapped: Bool

  /// Makes a view after checking that every element lies inside the storage.
  ///
  /// - Parameter strides: in elements; nil for a contiguous row-major view.
  /// - Throws: ``TensorError``.
  public init(
    dtype: DType, shape: [Int], strides: [Int]? = nil, storageOffset: Int = 0,
    storage: any ByteStorage, isByteSwapped: Bool = false
  ) throws(TensorError) {
    let elements = try Self.elementCount(shape)
    let contiguous = try Self.contiguousStrides(shape)
    let strides = strides ?? contiguous
    guard strides.count == shape.count else {
      throw .rankMismatch(shape: shape, strides: strides)
    }
    guard storageOffset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      throw .negativeStride(strides: strides, offset: storageOffset)
    }
    if elements > 0 {
      var last = storageOffset
      for (size, stride) in zip(shape, strides) {
        let (span, overflowed) = (size - 1).multipliedReportingOverflow(by: stride)
        let (sum, overflowed2) = last.addingReportingOverflow(span)
        guard !overflowed, !overflowed2 else { throw .tooLarge(shape: shape) }
        last = sum
      }
      guard last < storage.count / dtype.size else {
        throw .outsideStorage(
          shape: shape, strides: strides, offset: storageOffset, lastElement: last,
          storageElements: storage.count / dtype.size)
      }
    }
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.storageOffset = storageOffset
    self.storage = storage
    self.isByteSwapped = isByteSwapped
  }

  /// Number of elements.
  public var elementCount: Int { shape.reduce(1, *) }
  /// Size in bytes once contiguous.
  public var byteCount: Int { elementCount * dtype.size }

  /// Whether the elements stand in row-major order without gaps.
  public var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }

  static func elementCount(_ shape: [Int]) throws(TensorError) -> Int {
    var count = 1
    for size in shape {
      guard size >= 0 else { throw .negativeSize(shape: shape) }
      let (product, overflowed) = count.multipliedReportingOverflow(by: size)
      guard !overflowed, product <= Int.max / 8 else { throw .tooLarge(shape: shape) }
      count = product
    }
    return count
  }

  static func contiguousStrides(_ shape: [Int]) throws(TensorError) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in shape.indices.dropLast().reversed() {
      let (product, overflowed) = strides[index + 1].multipliedReportingOverflow(by: max(shape[index + 1], 1))
      guard !overflowed else { throw .tooLarge(shape: shape) }
      strides[index] = product
    }
    return strides
  }
}

/// How a tensor's description contradicts its storage.
public enum TensorError: Error, Sendable, Equatable {
  case negativeSize(shape: [Int])
  case tooLarge(shape: [Int])
  case rankMismatch(shape: [Int], strides: [Int])
  case negativeStride(strides: [Int], offset: Int)
  case outsideStorage(shape: [Int], strides: [Int], offset: Int, lastElement: Int, storageElements: Int)
  case expandsTooFar(shape: [Int], bytes: Int, storageBytes: Int)
  case notConvertible(from: DType, to: DType)
  case elementCountMismatch(from: [Int], to: [Int])
}
