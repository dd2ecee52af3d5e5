import ZooCheckpoint

/// Something that a weight file holds beside the weights: an epoch, the arguments of a script, an optimizer's state.
public struct SideEntry: Sendable {
  public let name: String
  /// In a few words: `12`, `a dictionary of 2: state, param_groups`.
  public var summary: String
  public var tensorCount = 0
  /// Whether ``tensors`` and ``values`` are all that there is, not left unread.
  public var isRead = false
  /// Whether a canonical checkpoint carries it already.
  public var isCarried = false
  /// Under their full names: `optimizer.state.0.exp_avg`.
  public var tensors = StateDict()
  /// Numbers and texts under their full names.
  public var values: [String: KeptValue] = [:]
  /// Tensors of kinds that can't be read.
  public var unreadable: [String] = []

  public init(name: String, summary: String) {
    self.name = name
    self.summary = summary
  }

  /// Whether it is an optimizer's state, as far as its name tells.
  public var isOptimizer: Bool {
    let name = name.lowercased()
    return name.contains("optim") || name == "opt"
  }
}

/// Which entries beside the weights are kept.
public enum KeptSides: String, Sendable, CaseIterable {
  case none, optimizer, all

  public func includes(_ entry: SideEntry) -> Bool {
    switch self {
    case .none: false
    case .optimizer: entry.isOptimizer
    case .all: true
    }
  }
}

extension WeightFile {
  /// Takes what a canonical checkpoint carries beside the weights out of the state dict.
  mutating func setKeptAside() {
    let kept = CheckpointMetadata(metadata).kept
    var order: [String] = []
    var entries: [String: SideEntry] = [:]
    func entry(of name: String) -> String {
      let first = String(name.prefix { $0 != "." })
      if entries[first] == nil {
        order.append(first)
        entries[first] = SideEntry(name: first, summary: "carried along")
        entries[first]?.isRead = true
        entries[first]?.isCarried = true
      }
      return first
    }
    for name in kept.tensors {
      guard let tensor = stateDict.tensors.removeValue(forKey: name) else { continue }
      let first = entry(of: name)
      entries[first]?.tensors[name] = tensor
      entries[first]?.tensorCount += 1
    }
    for (name, value) in kept.values.sorted(by: { $0.key < $1.key }) {
      let first = entry(of: name)
      entries[first]?.values[name] = value
      if first == name { entries[first]?.summary = value.summary }
    }
    sides += order.compactMap { entries[$0] }
  }

  /// Takes the optimizer's tensors, which readers of HDF5 list as skipped, as one entry.
  ///
  /// - Parameter tensors: by path.
  mutating func setOptimizerAside(_ tensors: [String: Tensor], reason: String) {
    var entry = SideEntry(name: "optimizer", summary: "the optimizer's state")
    for skipped in skipped where skipped.reason == reason {
      guard let tensor = tensors["/" + skipped.name] else { continue }
      let path = skipped.name.split(separator: "/").dropFirst().map { $0.prefix { $0 != ":" } }
      let name = (["optimizer"] + path).joined(separator: ".")
      guard entry.tensors[name] == nil else { continue }
      entry.tensors[name] = tensor
    }
    guard entry.tensors.count > 0 else { return }
    entry.tensorCount = entry.tensors.count
    entry.isRead = true
    sides.append(entry)
  }
}
