import CKernels

/// How a tensor's bytes get into a file.
extension Tensor {
  /// Where the bytes stand in a file just as they are to be written; nil where they must be gathered or converted.
  package func unchangedRange(as dtype: DType) -> (file: MappedFile, offset: Int)? {
    guard dtype == self.dtype, isContiguous, !isByteSwapped || dtype.size == 1, let range = storage.fileRange
    else { return nil }
    return (range.file, range.offset + storageOffset * dtype.size)
  }

  /// Calls `body` with the elements one piece after another: row-major, little-endian, rounded to `dtype`.
  ///
  /// - Throws: ``TensorError``, ``FileError``, what `body` throws.
  package func forEachPiece(as dtype: DType, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try forEachContiguousPiece { bytes in
      guard dtype != self.dtype else { return try body(bytes) }
      let step = 1 << 16
      let elements = bytes.count / self.dtype.size
      var floats = [Float](repeating: 0, count: step)
      try withUnsafeTemporaryAllocation(byteCount: step * 8, alignment: 64) { buffer in
        for start in stride(from: 0, to: elements, by: step) {
          let count = min(step, elements - start)
          guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
          zoo_to_float(&floats, source + start * self.dtype.size, Int64(count), self.dtype.kernelCode)
          zoo_from_float(target, floats, Int64(count), dtype.kernelCode)
          try body(UnsafeRawBufferPointer(start: target, count: count * dtype.size))
        }
      }
    }
  }

  /// What the tensor becomes where floating-point tensors become `dtype`; others keep theirs.
  package func written(as dtype: DType?) -> DType { self.dtype.isFloatingPoint ? dtype ?? self.dtype : self.dtype }
}

extension AtomicFile {
  /// Appends the tensor's elements; bytes that need no change stay inside the kernel.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  package func append(_ tensor: Tensor, as dtype: DType) throws {
    guard tensor.elementCount > 0 else { return }
    if let range = tensor.unchangedRange(as: dtype) {
      try copy(from: range.file, offset: range.offset, count: tensor.byteCount)
    } else {
      try tensor.forEachPiece(as: dtype) { try write($0) }
    }
  }
}
