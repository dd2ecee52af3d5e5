/// Two tensors that share some of their memory without being the same view: a transposed tie, a slice.
public struct TensorOverlap: Sendable, Equatable {
  public let name: String
  /// The tensor before it that it shares memory with.
  public let other: String
  /// Whether both cover the same memory, in another order or shape.
  public let isWhole: Bool
}

extension StateDict {
  /// The tensors that share memory with one before them, as no checkpoint can store: each gets bytes of its own.
  public func overlaps() -> [TensorOverlap] {
    struct Reach {
      let name: String
      let range: Range<Int>
    }
    var reaches: [StoragePlace: [Reach]] = [:]
    var result: [TensorOverlap] = []
    for (name, tensor) in separatingAliases().stored where tensor.elementCount > 0 {
      let place = StoragePlace(tensor.storage)
      let last = zip(tensor.shape, tensor.strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
      let start = tensor.storageOffset * tensor.dtype.size
      let range = start..<start + (last + 1) * tensor.dtype.size
      let known = reaches[place] ?? []
      if let other = known.first(where: { $0.range == range }) ?? known.first(where: { $0.range.overlaps(range) }) {
        result.append(TensorOverlap(name: name, other: other.name, isWhole: other.range == range))
      }
      // Thousands of slices of one storage would make this quadratic.
      if known.count < 256 { reaches[place, default: []].append(Reach(name: name, range: range)) }
    }
    return result
  }
}

/// Where stored bytes stand: a place of a file, or an object in memory.
struct StoragePlace: Hashable {
  private let owner: ObjectIdentifier
  private let offset: Int

  init(_ storage: any ByteStorage) {
    if let range = storage.fileRange {
      (owner, offset) = (ObjectIdentifier(range.file), range.offset)
    } else {
      (owner, offset) = (ObjectIdentifier(storage), 0)
    }
  }
}
