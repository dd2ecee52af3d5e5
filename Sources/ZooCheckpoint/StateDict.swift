import OrderedCollections

/// Named tensors in the order of their file: what PyTorch calls a state dict.
public struct StateDict: Sendable {
  public var tensors: OrderedDictionary<String, Tensor>
  /// Versions of the modules that wrote the state dict, by module path (PyTorch's `_metadata`).
  public var versions: OrderedDictionary<String, Int>

  public init(
    tensors: OrderedDictionary<String, Tensor> = [:], versions: OrderedDictionary<String, Int> = [:]
  ) {
    self.tensors = tensors
    self.versions = versions
  }

  public subscript(name: String) -> Tensor? {
    get { tensors[name] }
    set { tensors[name] = newValue }
  }

  public var names: [String] { Array(tensors.keys) }
  public var count: Int { tensors.count }
}
