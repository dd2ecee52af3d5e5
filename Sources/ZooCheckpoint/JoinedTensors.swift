extension Tensor {
  /// Tensors that differ in their first dimension alone, one after another; made when they are read.
  ///
  /// Returns nil where they don't fit together.
  /// - Throws: ``TensorError``.
  public static func joined(_ parts: [Tensor]) throws -> Tensor? {
    guard let first = parts.first, !first.shape.isEmpty else { return nil }
    var rows = 0
    for part in parts {
      guard part.dtype == first.dtype, part.shape.dropFirst() == first.shape.dropFirst(), !part.shape.isEmpty else {
        return nil
      }
      let (sum, overflowed) = rows.addingReportingOverflow(part.shape[0])
      guard !overflowed else { return nil }
      rows = sum
    }
    return try Tensor(
      dtype: first.dtype, shape: [rows] + first.shape.dropFirst(), storage: JoinedStorage(parts))
  }

  /// One of `count` equal parts along the first dimension: a view.
  ///
  /// Returns nil where they aren't equal.
  /// - Throws: ``TensorError``.
  public func part(_ index: Int, of count: Int) throws -> Tensor? {
    guard let rows = shape.first, count > 0, rows % count == 0, (0..<count).contains(index) else { return nil }
    return try Tensor(
      dtype: dtype, shape: [rows / count] + shape.dropFirst(), strides: strides,
      storageOffset: storageOffset + index * (rows / count) * strides[0], storage: storage, isByteSwapped: isByteSwapped
    )
  }
}

/// Several tensors' bytes in row-major order, gathered each time they are read, so that waiting costs no memory.
private final class JoinedStorage: ByteStorage {
  private let parts: [Tensor]

  init(_ parts: [Tensor]) { self.parts = parts }

  var count: Int { parts.reduce(0) { $0 + $1.byteCount } }
  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for part in parts { try part.withContiguousBytes { bytes.append(contentsOf: $0) } }
    return try bytes.withUnsafeBytes(body)
  }
}
