import ZooCheckpoint

/// A network's parameters and buffers by name, as float32.
public typealias Weights = [String: FloatTensor]

extension StateDict {
  /// The floating-point tensors as float32; counters such as BatchNorm's `num_batches_tracked` are left out.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  public func floatWeights() throws -> Weights {
    var weights = Weights()
    for (name, tensor) in tensors where tensor.dtype.isFloatingPoint { weights[name] = try FloatTensor(tensor) }
    return weights
  }
}
