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
  /// Size of the data section.
  var byteCount: Int { entries.last.map { $0.offset + $0.byteCount } ?? 0 }

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
      if let source = entry.tensor.unchangedRange(as: entry.dtype) {
        if let open = run, open.file === source.file, open.offset + open.count == source.offset {
          run = (open.file, open.offset, open.count + entry.byteCount)
        } else {
          try flush()
          run = (source.file, source.offset, entry.byteCount)
        }
      } else {
        try flush()
        try entry.tensor.forEachPiece(as: entry.dtype) { try file.write($0) }
      }
    }
    try flush()
  }
}
