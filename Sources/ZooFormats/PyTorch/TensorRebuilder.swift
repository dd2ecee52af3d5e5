import ZooCheckpoint

/// Turns the records of PyTorch's tensor constructors into tensors.
struct TensorRebuilder {
  let heap: PickleHeap
  var source: any StorageSource
  private var rebuilt: [Int: Tensor] = [:]

  /// What PyTorch's constructors mean, by the name a pickle calls them.
  enum Constructor {
    /// (storage, offset, size, stride, ...).
    case view
    /// (storage, offset, size, stride, requires_grad, hooks, dtype, ...).
    case typedView
    /// (tensor, ...).
    case wrapper
    /// (function, type, arguments, state).
    case subclass
    case unsupported(String)
  }

  static let constructors: [String: Constructor] = [
    "torch._utils._rebuild_tensor": .view,
    "torch._utils._rebuild_tensor_v2": .view,
    "torch._utils._rebuild_tensor_v3": .typedView,
    "torch._utils._rebuild_parameter": .wrapper,
    "torch._utils._rebuild_parameter_with_state": .wrapper,
    "torch.nn.parameter.Parameter": .wrapper,
    "torch.nn.parameter.Buffer": .wrapper,
    "torch._tensor._rebuild_from_type_v2": .subclass,
    "torch.tensor._rebuild_from_type_v2": .subclass,
    "torch._utils._rebuild_qtensor": .unsupported("quantized"),
    "torch._utils._rebuild_sparse_tensor": .unsupported("sparse"),
    "torch._utils._rebuild_sparse_csr_tensor": .unsupported("sparse"),
    "torch._utils._rebuild_nested_tensor": .unsupported("nested"),
    "torch._utils._rebuild_meta_tensor_no_storage": .unsupported("meta (shape without values)"),
    "torch._utils._rebuild_wrapper_subclass": .unsupported("wrapper subclass"),
    "torch._utils._rebuild_device_tensor_from_numpy": .unsupported("device"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": .wrapper,
    "torch._utils._rebuild_xla_tensor": .unsupported("XLA"),
    "torch._utils._rebuild_mlc_tensor": .unsupported("MLC"),
  ]

  init(heap: PickleHeap, source: any StorageSource) {
    self.heap = heap
    self.source = source
  }

  static func isTensor(_ index: Int, heap: PickleHeap) -> Bool {
    guard let name = heap.className(.node(index)) else { return false }
    return constructors[name] != nil
  }

  /// - Throws: ``PyTorchFault``, or what reading the storage throws.
  mutating func tensor(_ index: Int) throws -> Tensor {
    if let tensor = rebuilt[index] { return tensor }
    let tensor = try build(index)
    rebuilt[index] = tensor
    return tensor
  }

  private mutating func build(_ index: Int) throws -> Tensor {
    guard var name = heap.className(.node(index)), var arguments = heap.tuple(heap[index].arguments) else {
      throw malformed("the tensor", .node(index), "a tensor")
    }
    // A parameter of a subclass of a tensor is three deep; a cycle would be endless.
    for _ in 0..<8 {
      switch Self.constructors[name] {
      case .view: return try view(arguments, type: nil)
      case .typedView:
        guard arguments.count > 6, let dtype = heap.globalName(arguments[6]), let type = StorageType(dtypeName: dtype)
        else { throw malformed("the tensor's dtype", arguments.count > 6 ? arguments[6] : .none, "a dtype") }
        return try view(arguments, type: type)
      case .wrapper:
        guard let inner = arguments.first, let innerName = heap.className(inner), let node = heap.node(inner),
          let innerArguments = heap.tuple(node.arguments)
        else { throw malformed("the parameter's data", arguments.first ?? .none, "a tensor") }
        (name, arguments) = (innerName, innerArguments)
      case .subclass:
        guard arguments.count >= 3, let function = heap.globalName(arguments[0]), let inner = heap.tuple(arguments[2])
        else { throw malformed("the tensor subclass", arguments.first ?? .none, "a constructor and its arguments") }
        (name, arguments) = (function, inner)
      case .unsupported(let kind): throw PyTorchFault(.unsupportedTensor(kind: kind))
      case nil: throw malformed("the tensor", .node(index), "a known constructor, not \(name)")
      }
    }
    throw PyTorchFault(.overLimit(what: "wrappers around a tensor", limit: 8))
  }

  private mutating func view(_ arguments: [PickleValue], type: StorageType?) throws -> Tensor {
    guard arguments.count >= 4 else {
      throw PyTorchFault(
        .malformed(what: "the tensor", found: "\(arguments.count) arguments", expected: "at least 4"))
    }
    let reference = try StorageReference(arguments[0], heap: heap)
    let dtype: DType
    switch type ?? reference.type {
    case .elements(let known): dtype = known
    case .unsupported(let kind): throw PyTorchFault(.unsupportedTensor(kind: kind))
    // torch reads an untyped storage without a dtype as bytes.
    case .untyped: dtype = .uint8
    }
    guard case .integer(var offset) = arguments[1] else {
      throw malformed("the tensor's offset", arguments[1], "an integer")
    }
    let shape = try integers(arguments[2], "the tensor's shape")
    let strides = try integers(arguments[3], "the tensor's strides")
    try refuseLazyBits(arguments, at: type == nil ? 6 : 7)
    if let view = reference.view {
      let (sum, overflowed) = offset.addingReportingOverflow(view.offset)
      guard !overflowed else { throw malformed("the tensor's offset", arguments[1], "an element of its storage") }
      offset = sum
    }
    let storage = try source.storage(reference)
    do throws(TensorError) {
      return try Tensor(
        dtype: dtype, shape: shape, strides: strides, storageOffset: offset, storage: storage,
        isByteSwapped: source.isByteSwapped)
    } catch {
      throw PyTorchFault(.outsideStorage(error))
    }
  }

  /// The conjugate and negative bits change values without changing bytes.
  private func refuseLazyBits(_ arguments: [PickleValue], at index: Int) throws(PyTorchFault) {
    guard arguments.count > index, let metadata = heap.node(arguments[index]) else { return }
    for entry in metadata.entries {
      if case .string(let bit) = entry.key, bit == "conj" || bit == "neg", case .boolean(true) = entry.value {
        throw PyTorchFault(.unsupportedTensor(kind: bit == "neg" ? "lazily negated" : "lazily conjugated"))
      }
    }
  }

  private func integers(_ value: PickleValue, _ what: String) throws(PyTorchFault) -> [Int] {
    let items: [PickleValue]
    if let node = heap.node(value), node.kind == .tuple || node.kind == .list {
      items = node.items
    } else if heap.className(value) == "torch.Size", let node = heap.node(value),
      let inner = heap.tuple(node.arguments)?.first, let sizes = heap.tuple(inner)
    {
      items = sizes
    } else {
      throw malformed(what, value, "a tuple of integers")
    }
    guard items.count <= 64 else { throw PyTorchFault(.overLimit(what: "dimensions", limit: 64)) }
    var numbers: [Int] = []
    for item in items {
      guard case .integer(let number) = item else { throw malformed(what, item, "integers") }
      numbers.append(number)
    }
    return numbers
  }

  private func malformed(_ what: String, _ found: PickleValue, _ expected: String) -> PyTorchFault {
    PyTorchFault(.malformed(what: what, found: heap.describe(found), expected: expected))
  }
}
