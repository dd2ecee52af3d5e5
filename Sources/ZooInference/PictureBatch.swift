import ZooCheckpoint

/// Pictures as one tensor; what a short batch lacks is zero.
func batched(_ pictures: [FloatTensor], batch: Int) throws -> FloatTensor {
  precondition(pictures.count <= batch, "\(pictures.count) pictures for batches of \(batch)")
  let shape = pictures.first?.shape ?? [0]
  let each = shape.reduce(1, *)
  let values = try [Float](unsafeUninitializedCapacity: batch * each) { target, initialized in
    target.initialize(repeating: 0)
    for (index, picture) in pictures.enumerated() {
      try picture.withValues { values in
        _ = UnsafeMutableBufferPointer(rebasing: target[index * each..<(index + 1) * each]).update(
          fromContentsOf: values)
      }
    }
    initialized = batch * each
  }
  return FloatTensor(shape: [batch] + shape, values: values)
}
