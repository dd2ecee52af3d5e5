import CKernels

extension Tensor {
  /// Calls `body` with the elements contiguous, row-major and little-endian, in this tensor's dtype.
  ///
  /// Views that already are so cost no copy.
  /// - Throws: ``TensorError/expandsTooFar(shape:bytes:storageBytes:)`` where a stride-0 view would need
  ///   far more memory than is stored; ``FileError``; what `body` throws.
  public func withContiguousBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let byteCount = byteCount
    if isContiguous && (!isByteSwapped || dtype.size == 1) {
      let start = storageOffset * dtype.size
      return try storage.withBytes { bytes in
        try body(
          UnsafeRawBufferPointer(
            rebasing: bytes[(byteCount == 0 ? 0 : start)..<(byteCount == 0 ? 0 : start + byteCount)]))
      }
    }
    guard byteCount <= max(storage.count, 1 << 20) * 64 else {
      throw TensorError.expandsTooFar(shape: shape, bytes: byteCount, storageBytes: storage.count)
    }
    return try withUnsafeTemporaryAllocation(byteCount: max(byteCount, 1), alignment: 64) { buffer in
      try storage.withBytes { bytes in
        if byteCount > 0 {
          gather(from: bytes, into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<byteCount]))
        }
      }
      return try body(UnsafeRawBufferPointer(rebasing: buffer[0..<byteCount]))
    }
  }

  /// Calls `body` with the same bytes as ``withContiguousBytes(_:)`` in pieces of whole outermost rows, in order.
  ///
  /// Holds about `size` bytes at a time, however large the tensor is.
  /// - Throws: as ``withContiguousBytes(_:)``.
  public func forEachContiguousPiece(
    ofBytes size: Int = 8 << 20, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let tensor = readingOrder
    let isStored = tensor.isContiguous && (!tensor.isByteSwapped || dtype.size == 1)
    guard !isStored, tensor.byteCount > size, let rows = tensor.shape.first, rows > 1,
      tensor.byteCount <= max(tensor.storage.count, 1 << 20) * 64
    else { return try tensor.withContiguousBytes(body) }
    // Runs of neighbours across the rows are gathered together, so whole runs of rows go well.
    let fitting = max(1, min(rows, size / max(tensor.byteCount / rows, 1)))
    let perPiece = fitting < Self.run ? fitting : fitting / Self.run * Self.run
    // Bytes that are made when they are asked for are asked for once.
    try tensor.storage.withBytes { bytes in
      try withUnsafeTemporaryAllocation(byteCount: tensor.byteCount / rows * perPiece, alignment: 64) { buffer in
        for start in stride(from: 0, to: rows, by: perPiece) {
          let piece = try tensor.rows(from: start, count: min(perPiece, rows - start))
          let target = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<piece.byteCount])
          piece.gather(from: bytes, into: target)
          try body(UnsafeRawBufferPointer(target))
        }
      }
    }
  }

  private func rows(from start: Int, count: Int) throws(TensorError) -> Tensor {
    try Tensor(
      dtype: dtype, shape: [count] + shape.dropFirst(), strides: strides,
      storageOffset: storageOffset + start * strides[0], storage: storage, isByteSwapped: isByteSwapped)
  }

  /// Neighbours that the kernel reads at once.
  private static var run: Int { 64 }

  private func gather(from source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    shape.map(Int64.init).withUnsafeBufferPointer { sizes in
      strides.map(Int64.init).withUnsafeBufferPointer { steps in
        zoo_gather(
          to, from + storageOffset * dtype.size, sizes.baseAddress, steps.baseAddress, Int32(shape.count),
          Int32(dtype.size), isByteSwapped)
      }
    }
  }

  /// The elements as float32 in row-major order, converted from any numeric dtype.
  public func floats() throws -> [Float] {
    let count = elementCount
    return try withContiguousBytes { bytes in
      [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
        if count > 0, let source = bytes.baseAddress, let target = buffer.baseAddress {
          zoo_to_float(target, source, Int64(count), dtype.kernelCode)
        }
        initialized = count
      }
    }
  }
}

extension DType {
  /// The code that the C kernels know this dtype by.
  var kernelCode: zoo_dtype {
    switch self {
    case .float64: ZOO_F64
    case .float32: ZOO_F32
    case .float16: ZOO_F16
    case .bfloat16: ZOO_BF16
    case .float8E4M3: ZOO_F8_E4M3
    case .float8E5M2: ZOO_F8_E5M2
    case .int64: ZOO_I64
    case .int32: ZOO_I32
    case .int16: ZOO_I16
    case .int8: ZOO_I8
    case .uint64: ZOO_U64
    case .uint32: ZOO_U32
    case .uint16: ZOO_U16
    case .uint8: ZOO_U8
    case .bool: ZOO_BOOL
    }
  }
}
