/// Finds the state dict inside what training scripts save around it.
///
/// Averaged weights come before the last ones, as in timm; the other names are those of widespread scripts.
struct Wrapper {
  /// Always the weights, whatever stands beside them.
  static let weightKeys = [
    "state_dict_ema", "model_ema", "params_ema", "ema", "state_dict", "model_state_dict", "model_state", "model",
  ]
  /// The weights unless other networks stand beside them.
  static let networkKeys = ["net", "network", "weights", "params", "module"]
  /// What training keeps beside the weights.
  static let auxiliaryKeys: Set<String> = [
    "optimizer", "optimizers", "optimizer_state", "optimizer_state_dict", "optimizer_states", "optim", "opt", "scaler",
    "amp", "scheduler", "lr_scheduler", "lr_schedulers", "rng_state", "cuda_rng_state", "random_rng_states",
    "callbacks", "loops", "criterion", "loss", "_metadata",
  ]

  /// Keys from the file's root to the state dict.
  private(set) var path: [String] = []
  private(set) var root: PickleValue
  private(set) var skipped: [SkippedEntry] = []
  /// What stands beside the weights.
  private(set) var beside: [(name: String, value: PickleValue)] = []

  init(_ document: PickleDocument, reach: TensorReach) {
    root = document.root
    let heap = document.heap
    for _ in 0..<4 {
      guard !heap.isModule(root), let key = Self.key(of: root, heap: heap, reach: reach) else { return }
      let members = heap.members(root)
      guard let chosen = members.last(where: { $0.name == key }) else { return }
      for member in members where member.name != key && member.name != "_metadata" {
        let name = member.name ?? "?"
        beside.append((name, member.value))
        guard reach.contains(member.value) else { continue }
        skipped.append(SkippedEntry(name: name, reason: "stands beside the weights in \(key)"))
      }
      path.append(key)
      root = chosen.value
    }
  }

  private static func key(of value: PickleValue, heap: PickleHeap, reach: TensorReach) -> String? {
    guard let node = heap.node(value), node.kind == .dictionary || node.kind == .object else { return nil }
    let members = heap.members(value).filter { reach.contains($0.value) }
    let networks = Set(members.compactMap { isNetwork($0.value, heap: heap) ? $0.name : nil })
    if let key = weightKeys.first(where: networks.contains) { return key }
    let others = networks.subtracting(auxiliaryKeys)
    guard others.count == 1, let only = others.first else { return nil }
    if networkKeys.contains(only) { return only }
    // An unknown key is a wrapper if full parameter names stand under it and nothing else holds tensors.
    let inner = members.last { $0.name == only }.map { heap.members($0.value) } ?? []
    let isWhole = members.allSatisfy { $0.name == only || auxiliaryKeys.contains($0.name ?? "") }
    return isWhole && inner.contains { $0.name?.contains(".") == true } ? only : nil
  }

  /// A dictionary or object that isn't itself a tensor.
  private static func isNetwork(_ value: PickleValue, heap: PickleHeap) -> Bool {
    guard case .node(let index) = value, !TensorRebuilder.isTensor(index, heap: heap) else { return false }
    return heap[index].kind == .dictionary || heap[index].kind == .object
  }
}
