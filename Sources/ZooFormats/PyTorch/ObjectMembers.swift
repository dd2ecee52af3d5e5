extension PickleHeap {
  /// What a container or object holds, by name: dictionary entries, positions in a list, attributes.
  ///
  /// A key that can't be part of a name (a tuple, say) gives a nil name.
  func members(_ value: PickleValue) -> [(name: String?, value: PickleValue)] {
    guard let node = node(value) else { return [] }
    switch node.kind {
    case .global, .persistent: return []
    case .tuple, .list, .set: return node.items.enumerated().map { ("\($0)", $1) }
    case .dictionary: return node.entries.map { (memberName($0.key), $0.value) }
    case .object: return objectMembers(node)
    }
  }

  private func objectMembers(_ node: PickleNode) -> [(name: String?, value: PickleValue)] {
    var members: [(name: String?, value: PickleValue)] = node.entries.map { (memberName($0.key), $0.value) }
    members += node.items.enumerated().map { ("\($0)", $1) }
    members += attributes(node).map { (memberName($0.key), $0.value) }
    for (position, argument) in (tuple(node.arguments) ?? []).enumerated() {
      // Python 2 gave an OrderedDict its entries as a list of pairs.
      let pairs = pairs(argument)
      if pairs.isEmpty {
        members.append(("\(position)", argument))
      } else {
        members += pairs.map { (memberName($0.key), $0.value) }
      }
    }
    return members
  }

  /// An object's `__dict__`, and its slots; a traced module gives them as its maker's first argument.
  func attributes(_ node: PickleNode) -> [PickleEntry] {
    guard let state = self.node(node.state) else {
      guard globalName(node.callable)?.hasPrefix("torch.fx.") == true, let first = tuple(node.arguments)?.first
      else { return [] }
      return self.node(first)?.entries ?? []
    }
    switch state.kind {
    case .dictionary: return state.entries
    case .tuple: return state.items.prefix(2).flatMap { self.node($0)?.entries ?? [] }
    default: return []
    }
  }

  func attribute(_ name: String, of node: PickleNode) -> PickleValue? {
    attributes(node).last { if case .string(let key) = $0.key { key == name } else { false } }?.value
  }

  /// Entries of a dictionary of any class.
  func entries(_ value: PickleValue) -> [PickleEntry] {
    guard let node = node(value) else { return [] }
    if !node.entries.isEmpty || node.kind != .object { return node.entries }
    return (tuple(node.arguments) ?? []).flatMap(pairs)
  }

  private func pairs(_ value: PickleValue) -> [PickleEntry] {
    guard let list = node(value), list.kind == .list, !list.items.isEmpty else { return [] }
    var entries: [PickleEntry] = []
    for item in list.items {
      guard let pair = node(item), pair.kind == .list || pair.kind == .tuple, pair.items.count == 2,
        case .string = pair.items[0]
      else { return [] }
      entries.append(PickleEntry(key: pair.items[0], value: pair.items[1]))
    }
    return entries
  }

  /// The key as part of a tensor's name; nil for keys that are neither text nor whole numbers.
  func memberName(_ key: PickleValue) -> String? {
    switch key {
    case .string(let text): text
    case .integer(let number): "\(number)"
    default: nil
    }
  }

  /// Whether the value is an object with the attributes of PyTorch's `nn.Module`.
  func isModule(_ value: PickleValue) -> Bool {
    guard let node = node(value), node.kind == .object else { return false }
    return attribute("_modules", of: node) != nil && attribute("_parameters", of: node) != nil
  }
}
