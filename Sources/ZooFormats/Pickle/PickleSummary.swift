import ZooCheckpoint

extension PickleHeap {
  private static let largestScalarCount = 10_000

  /// The value in a few words for people: `12`, `'resnet50'`, `a dictionary of 2: state, param_groups`.
  func summary(_ value: PickleValue) -> String {
    if let scalar = scalar(value) { return scalar.summary }
    guard let node = node(value), case .node(let index) = value else { return describe(value) }
    if TensorRebuilder.isTensor(index, heap: self) { return "a tensor" }
    switch node.kind {
    case .dictionary, .object:
      let entries = node.entries.isEmpty ? attributes(node) : node.entries
      let names = entries.prefix(4).compactMap { memberName($0.key) }.map { $0.prefix(40) }
      let listed = names.joined(separator: ", ") + (entries.count > names.count ? ", …" : "")
      return entries.isEmpty ? describe(value) : "\(describe(value)) of \(entries.count): \(listed)"
    case .list, .tuple, .set: return "\(describe(value)) of \(node.items.count)"
    case .global, .persistent: return describe(value)
    }
  }

  /// Numbers and texts below a value, by dotted name.
  func scalars(_ value: PickleValue, named name: String) -> [String: KeptValue] {
    var result: [String: KeptValue] = [:]
    var pending: [(name: String, value: PickleValue, depth: Int)] = [(name, value, 0)]
    var steps = 0
    while let next = pending.popLast(), steps < 16 * Self.largestScalarCount, result.count < Self.largestScalarCount {
      steps += 1
      if let scalar = scalar(next.value) {
        result[next.name] = scalar
        continue
      }
      guard next.depth < 32, case .node(let index) = next.value, !TensorRebuilder.isTensor(index, heap: self)
      else { continue }
      for (inner, value) in members(next.value) {
        guard let inner, inner.utf8.count < 256 else { continue }
        pending.append(("\(next.name).\(inner)", value, next.depth + 1))
      }
    }
    return result
  }

  private func scalar(_ value: PickleValue) -> KeptValue? {
    switch value {
    case .none: .null
    case .boolean(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .float(let value): value.isFinite ? .number(value) : .text("\(value)")
    case .string(let text): .text(text)
    case .bigInteger, .bytes, .node: nil
    }
  }
}
