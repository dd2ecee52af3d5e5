/// A dense row-major float32 tensor in memory or mapped from a file: what networks take and give.
///
/// Pictures are NCHW.
public struct FloatTensor: Sendable {
  public let shape: [Int]
  private enum Backing: Sendable {
    case array([Float])
    /// Element-aligned float32 in the storage, from `byteOffset`.
    case storage(any ByteStorage, byteOffset: Int)
  }
  private let backing: Backing

  /// - Precondition: `values.count` is the product of `shape`.
  public init(shape: [Int], values: [Float]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
    self.shape = shape
    self.backing = .array(values)
  }

  /// The tensor's values as float32, without a copy where it is contiguous little-endian float32 in a mapped file.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  public init(_ tensor: Tensor) throws {
    shape = tensor.shape
    let byteOffset = tensor.storageOffset * 4
    if tensor.dtype == .float32, !tensor.isByteSwapped, tensor.isContiguous,
      let range = tensor.storage.fileRange, (range.offset + byteOffset) % 4 == 0
    {
      backing = .storage(tensor.storage, byteOffset: byteOffset)
    } else {
      backing = .array(try tensor.floats())
    }
  }

  public var count: Int { shape.reduce(1, *) }

  /// Calls `body` with the values in row-major order.
  public func withValues<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
    switch backing {
    case .array(let values): return try values.withUnsafeBufferPointer(body)
    case .storage(let storage, let byteOffset):
      let count = count
      return try storage.withBytes { bytes in
        try body(
          UnsafeRawBufferPointer(rebasing: bytes[byteOffset..<(byteOffset + count * 4)]).bindMemory(to: Float.self))
      }
    }
  }

  /// The values as an array.
  public func values() throws -> [Float] {
    if case .array(let values) = backing { return values }
    return try withValues { Array($0) }
  }
}
