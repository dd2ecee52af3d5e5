/// How a tensor's elements are laid out anew between two namings.
public enum TensorTransform: Sendable, Equatable {
  case identity
  /// Swaps the dimensions of a matrix.
  case transpose
  /// Output dimension i is input dimension `order[i]`, as NumPy's `transpose`.
  case permute([Int])
  /// Reverses the order along the given dimensions.
  case flip([Int])
  /// Row-major; one size may be -1 and is then found from the others.
  case reshape([Int])

  /// Reads `transpose`, `permute(3,2,0,1)` and so on; nil where it is none of the known transforms.
  public init?(_ text: String) {
    guard let open = text.firstIndex(of: "(") else {
      switch text {
      case "identity": self = .identity
      case "transpose": self = .transpose
      default: return nil
      }
      return
    }
    guard text.hasSuffix(")") else { return nil }
    let parts = text[text.index(after: open)...].dropLast().split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count else { return nil }
    switch text[..<open] {
    case "permute" where numbers.sorted() == Array(numbers.indices): self = .permute(numbers)
    case "flip" where numbers.allSatisfy { $0 >= 0 } && Set(numbers).count == numbers.count: self = .flip(numbers)
    case "reshape" where numbers.allSatisfy { $0 >= -1 } && numbers.filter { $0 == -1 }.count <= 1:
      self = .reshape(numbers)
    default: return nil
    }
  }

  /// What undoes it; nil for a reshape, whose former shape is lost.
  public var inverse: TensorTransform? {
    switch self {
    case .identity, .transpose, .flip: self
    case .permute(let order):
      .permute(order.indices.map { index in order.firstIndex(of: index) ?? index })
    case .reshape: nil
    }
  }

  /// The shape after the transform; nil where it doesn't fit.
  public func shape(of shape: [Int]) -> [Int]? {
    switch self {
    case .identity: return shape
    case .transpose: return shape.count == 2 ? shape.reversed() : nil
    case .permute(let order): return order.count == shape.count ? order.map { shape[$0] } : nil
    case .flip(let dimensions): return dimensions.allSatisfy { $0 < shape.count } ? shape : nil
    case .reshape(let sizes):
      let count = shape.reduce(1, *)
      var known = 1
      for size in sizes where size >= 0 {
        let (product, overflowed) = known.multipliedReportingOverflow(by: size)
        guard !overflowed else { return nil }
        known = product
      }
      guard sizes.contains(-1) else { return known == count ? sizes : nil }
      guard known > 0, count % known == 0 else { return nil }
      return sizes.map { $0 == -1 ? count / known : $0 }
    }
  }

  /// The tensor transformed: a view where strides can say it, else bytes that are made when they are read.
  ///
  /// Returns nil where the transform doesn't fit the tensor's shape.
  /// - Throws: ``TensorError``.
  public func apply(_ tensor: Tensor) throws -> Tensor? {
    guard let shape = shape(of: tensor.shape) else { return nil }
    switch self {
    case .identity: return tensor
    case .transpose: return try TensorTransform.permute([1, 0]).apply(tensor)
    case .permute(let order):
      return try Tensor(
        dtype: tensor.dtype, shape: shape, strides: order.map { tensor.strides[$0] },
        storageOffset: tensor.storageOffset, storage: tensor.storage, isByteSwapped: tensor.isByteSwapped)
    case .flip(let dimensions):
      return try Tensor(dtype: tensor.dtype, shape: shape, storage: DerivedStorage(tensor, flipped: dimensions))
    case .reshape:
      guard tensor.isContiguous else {
        return try Tensor(dtype: tensor.dtype, shape: shape, storage: DerivedStorage(tensor, flipped: []))
      }
      return try Tensor(
        dtype: tensor.dtype, shape: shape, storageOffset: tensor.storageOffset, storage: tensor.storage,
        isByteSwapped: tensor.isByteSwapped)
    }
  }
}

extension Tensor {
  /// A tensor with the same elements in the same order that is no reshape of another.
  var readingOrder: Tensor {
    guard let derived = storage as? DerivedStorage, let base = derived.unflipped, storageOffset == 0, isContiguous,
      base.elementCount == elementCount
    else { return self }
    return base.readingOrder
  }
}

/// A tensor's bytes in row-major order, made each time they are read, so that waiting costs no memory.
private final class DerivedStorage: ByteStorage {
  private let tensor: Tensor
  private let flipped: [Int]

  init(_ tensor: Tensor, flipped: [Int]) {
    self.tensor = tensor
    self.flipped = flipped
  }

  /// The tensor, where its elements keep their order.
  var unflipped: Tensor? { flipped.isEmpty ? tensor : nil }
  var count: Int { tensor.byteCount }
  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    guard !flipped.isEmpty, tensor.elementCount > 0 else { return try tensor.withContiguousBytes(body) }
    return try tensor.withContiguousBytes { bytes in
      var turned = [UInt8](repeating: 0, count: bytes.count)
      for index in 0..<tensor.elementCount {
        let from = mirrored(index) * tensor.dtype.size
        let to = index * tensor.dtype.size
        for byte in 0..<tensor.dtype.size { turned[to + byte] = bytes[from + byte] }
      }
      return try turned.withUnsafeBytes(body)
    }
  }

  /// The row-major index of the element that stands opposite in the flipped dimensions.
  private func mirrored(_ index: Int) -> Int {
    var rest = index
    var step = 1
    var result = 0
    for dimension in tensor.shape.indices.reversed() {
      let size = tensor.shape[dimension]
      let position = rest % size
      rest /= size
      result += (flipped.contains(dimension) ? size - 1 - position : position) * step
      step *= size
    }
    return result
  }
}
