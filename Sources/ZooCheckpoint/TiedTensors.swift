import OrderedCollections

extension StateDict {
  /// The tensors without those that are the same view of the same storage as one before them, and for each of these
  /// the name that it is stored under.
  public func separatingAliases() -> (stored: OrderedDictionary<String, Tensor>, aliases: [String: String]) {
    struct View: Hashable {
      let storage: StoragePlace
      let dtype: DType
      let shape: [Int]
      let strides: [Int]
      let offset: Int
    }
    var stored: OrderedDictionary<String, Tensor> = [:]
    var names: [View: String] = [:]
    var aliases: [String: String] = [:]
    for (name, tensor) in tensors {
      let view = View(
        storage: StoragePlace(tensor.storage), dtype: tensor.dtype, shape: tensor.shape, strides: tensor.strides,
        offset: tensor.storageOffset)
      if tensor.elementCount > 0, let first = names[view] {
        aliases[name] = first
      } else {
        names[view] = name
        stored[name] = tensor
      }
    }
    return (stored, aliases)
  }

  /// Ties tensors again as a checkpoint's metadata tells: an absent alias appears, one with bytes of its own shares the
  /// stored tensor where the bytes are the same.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  package mutating func restoreAliases(_ aliases: [String: String]) throws {
    for (alias, name) in aliases.sorted(by: { $0.key < $1.key }) {
      guard let stored = tensors[name], alias != name else { continue }
      if let own = tensors[alias], try !own.isSame(as: stored) { continue }
      tensors[alias] = stored
    }
  }
}

extension Tensor {
  /// Whether dtype, shape and every byte agree.
  package func isSame(as other: Tensor) throws -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    return try withContiguousBytes { bytes in
      try other.withContiguousBytes { $0.elementsEqual(bytes) }
    }
  }
}
