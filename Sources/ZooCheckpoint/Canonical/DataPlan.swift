import CKernels
import OrderedCollections

/// Where each tensor goes in the data section, and how its bytes get there.
struct DataPlan {
  struct Entry {
    let name: String
    let tensor: Tensor
    let dtype: DType
    /// First byte, from the start of the data section.
    let offset: Int
    var byteCount: Int { tensor.elementCount * dtype.size }
  }
  private(set) var entries: [Entry] = []

  /// - Parameter dtype: what floating-point tensors become; nil keeps theirs.
  init(_ tensors: OrderedDictionary<String, Tensor>, dtype: DType?) throws {
    var offset = 0
    for (name, tensor) in tensors {
      let target = tensor.dtype.isFloatingPoint ? dtype ?? tensor.dtype : tensor.dtype
      guard tensor.elementCount <= (Int.max - offset) / 8 else { throw TensorError.tooLarge(shape: tensor.shape) }
      if !tensor.isContiguous && tensor.byteCount > max(tensor.storage.count, 1 << 20) * 64 {
        throw TensorError.expandsTooFar(
          shape: tensor.shape, bytes: tensor.byteCount, storageBytes: tensor.storage.count)
      }
      entries.append(Entry(name: name, tensor: tensor, dtype: target, offset: offset))
      offset += tensor.elementCount * target.size
    }
  }

  /// Appends every tensor's bytes; neighbours that are neighbours in the source too go in one copy.
  func copy(into file: AtomicFile) throws {
    var run: (file: MappedFile, offset: Int, count: Int)?
    func flush() throws {
      if let run { try file.copy(from: run.file, offset: run.offset, count: run.count) }
      run = nil
    }
    for entry in entries where entry.byteCount > 0 {
      if let source = entry.unchangedRange {
        if let open = run, open.file === source.file, open.offset + open.count == source.offset {
          run = (open.file, open.offset, open.count + entry.byteCount)
        } else {
          try flush()
          run = (source.file, source.offset, entry.byteCount)
        }
      } else {
        try flush()
        try entry.write(into: file)
      }
    }
    try flush()
  }
}

extension DataPlan.Entry {
  /// Where the bytes stand in a file just as they are to be written; nil where they must be gathered or converted.
  fileprivate var unchangedRange: (file: MappedFile, offset: Int)? {
    guard dtype == tensor.dtype, tensor.isContiguous, !tensor.isByteSwapped || dtype.size == 1,
      let range = tensor.storage.fileRange
    else { return nil }
    return (range.file, range.offset + tensor.storageOffset * dtype.size)
  }

  fileprivate func write(into file: AtomicFile) throws {
    try tensor.withContiguousBytes { bytes in
      guard dtype != tensor.dtype else { return try file.write(bytes) }
      let step = 1 << 16
      var floats = [Float](repeating: 0, count: step)
      try withUnsafeTemporaryAllocation(byteCount: step * 8, alignment: 64) { buffer in
        for start in stride(from: 0, to: tensor.elementCount, by: step) {
          let count = min(step, tensor.elementCount - start)
          guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
          zoo_to_float(&floats, source + start * tensor.dtype.size, Int64(count), tensor.dtype.kernelCode)
          zoo_from_float(target, floats, Int64(count), dtype.kernelCode)
          try file.write(UnsafeRawBufferPointer(start: target, count: count * dtype.size))
        }
      }
    }
  }
}
