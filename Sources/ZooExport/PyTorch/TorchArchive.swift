import OrderedCollections
import ZooCheckpoint

/// The parts that PyTorch's two archives share: storages as members of a zip, tensors that refer to them.
struct TorchArchive {
  /// The folder that all members are in; PyTorch takes any.
  static let folder = "archive/"

  /// A storage's number and dtype by the name of its tensor; tied tensors have one.
  private(set) var storages: OrderedDictionary<String, (key: Int, dtype: DType)> = [:]
  private let tensors: OrderedDictionary<String, Tensor>
  private let aliases: [String: String]

  init(_ source: ExportSource, dtype: DType?) {
    tensors = source.stateDict.tensors
    aliases = source.metadata.aliases
    for (name, tensor) in tensors where aliases[name] == nil {
      storages[name] = (storages.count, tensor.written(as: dtype))
    }
  }

  func dtype(of name: String) -> DType? { storages[aliases[name] ?? name]?.dtype }

  /// Pushes a tensor as `torch._utils` rebuilds it.
  ///
  /// Types without a storage class of their own are bytes whose type the tensor states.
  func push(_ name: String, requiresGradient: Bool, to pickle: inout PickleWriter) {
    guard let tensor = tensors[name], let storage = storages[aliases[name] ?? name] else { return }
    let storageClass = storage.dtype.torchStorage
    pickle.global("torch._utils", storageClass == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    pickle.mark()
    pickle.mark()
    pickle.string("storage")
    if let storageClass {
      pickle.global("torch", storageClass)
    } else {
      pickle.global("torch.storage", "UntypedStorage")
    }
    pickle.string(String(storage.key))
    pickle.string("cpu")
    pickle.integer(storageClass == nil ? tensor.elementCount * storage.dtype.size : tensor.elementCount)
    pickle.tuple()
    pickle.persistentID()
    pickle.integer(0)
    pickle.integers(tensor.shape)
    pickle.integers(Self.strides(tensor.shape))
    pickle.boolean(requiresGradient)
    pickle.orderedDictionary()
    if storageClass == nil { pickle.global("torch", storage.dtype.name) }
    pickle.tuple()
    pickle.reduce()
  }

  /// Adds the storages and the members that every PyTorch archive ends with.
  ///
  /// - Throws: `FileError`, `TensorError`.
  func addStorages(to zip: inout ZipWriter) throws {
    try zip.add(Self.folder + "byteorder", "little".utf8)
    for (name, storage) in storages {
      guard let tensor = tensors[name] else { continue }
      try zip.add(Self.folder + "data/\(storage.key)", tensor, as: storage.dtype)
    }
    try zip.add(Self.folder + "version", "3\n".utf8)
  }

  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for index in shape.indices.dropLast().reversed() { strides[index] = strides[index + 1] * max(shape[index + 1], 1) }
    return strides
  }
}

extension DType {
  /// PyTorch's class of a storage; nil where it has none.
  fileprivate var torchStorage: String? {
    switch self {
    case .float64: "DoubleStorage"
    case .float32: "FloatStorage"
    case .float16: "HalfStorage"
    case .bfloat16: "BFloat16Storage"
    case .int64: "LongStorage"
    case .int32: "IntStorage"
    case .int16: "ShortStorage"
    case .int8: "CharStorage"
    case .uint8: "ByteStorage"
    case .bool: "BoolStorage"
    case .uint16, .uint32, .uint64, .float8E4M3, .float8E5M2: nil
    }
  }
}
