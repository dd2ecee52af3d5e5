import OrderedCollections

/// Lists the tensors under a value with their dotted names, as `nn.Module.state_dict` would.
///
/// The walk keeps its own stack, so that no nesting overflows the thread's; cycles are left where they close.
struct StateDictWalk {
  let heap: PickleHeap
  let reach: TensorReach
  /// Node of the tensor by name.
  private(set) var found: OrderedDictionary<String, Int> = [:]
  private(set) var versions: OrderedDictionary<String, Int> = [:]
  private(set) var skipped: [SkippedEntry] = []
  private var pending: [Step] = []
  private var open: Set<Int> = []
  private var nameBytes = 0

  private enum Step {
    case enter(name: String, value: PickleValue)
    case leave(Int)
  }

  static let largestStepCount = 1 << 20
  static let largestNameBytes = 1 << 26
  static let largestDepth = 1000
  private static let largestSkippedCount = 10_000

  init(heap: PickleHeap, reach: TensorReach) {
    self.heap = heap
    self.reach = reach
  }

  /// - Throws: ``PyTorchFault`` where names multiply beyond any network's.
  mutating func run(from root: PickleValue) throws(PyTorchFault) {
    pending = [.enter(name: "", value: root)]
    for _ in 0..<Self.largestStepCount {
      switch pending.popLast() {
      case nil: return
      case .leave(let index): open.remove(index)
      case .enter(let name, let value): try enter(name, value)
      }
    }
    throw PyTorchFault(.overLimit(what: "steps to its tensors", limit: Self.largestStepCount))
  }

  private mutating func enter(_ name: String, _ value: PickleValue) throws(PyTorchFault) {
    guard case .node(let index) = value, reach.contains(value) else {
      return skip(name, "is \(heap.summary(value)), no tensor")
    }
    if TensorRebuilder.isTensor(index, heap: heap) {
      if let other = found.updateValue(index, forKey: name.isEmpty ? "tensor" : name), other != index {
        skip(name, "another tensor has the same name")
      }
      return
    }
    guard open.insert(index).inserted else { return skip(name, "refers back to what holds it") }
    guard open.count <= Self.largestDepth else {
      throw PyTorchFault(.overLimit(what: "levels of nesting", limit: Self.largestDepth))
    }
    pending.append(.leave(index))
    let isModule = heap.isModule(value)
    let children = isModule ? moduleMembers(heap[index]) : containerMembers(index, prefix: name)
    for (childName, child) in children.reversed() {
      guard let childName else {
        skip(name.isEmpty ? "?" : name + ".?", "its key is no text")
        continue
      }
      let full = name.isEmpty ? childName : name + "." + childName
      nameBytes += full.utf8.count
      guard nameBytes <= Self.largestNameBytes else {
        throw PyTorchFault(.overLimit(what: "bytes of tensor names", limit: Self.largestNameBytes))
      }
      pending.append(.enter(name: full, value: child))
    }
  }

  private mutating func containerMembers(_ index: Int, prefix: String) -> [(name: String?, value: PickleValue)] {
    let members = heap.members(.node(index))
    let metadata =
      heap.attribute("_metadata", of: heap[index]) ?? members.last { $0.name == "_metadata" }?.value ?? .none
    for entry in heap.entries(metadata) {
      guard case .string(let module) = entry.key,
        let version = heap.entries(entry.value).last(where: { heap.memberName($0.key) == "version" }),
        case .integer(let number) = version.value
      else { continue }
      versions[[prefix, module].filter { !$0.isEmpty }.joined(separator: ".")] = number
    }
    // Attributes and arguments without tensors are no lost weights; entries without are worth a word.
    let isObject = heap[index].kind == .object
    let ownEntries = isObject ? heap.entries(.node(index)).count : members.count
    return members.enumerated().compactMap { position, member in
      if member.name == "_metadata" { return nil }
      return position < ownEntries || reach.contains(member.value) ? member : nil
    }
  }

  /// Parameters, persistent buffers, then the modules inside, in order.
  private func moduleMembers(_ node: PickleNode) -> [(name: String?, value: PickleValue)] {
    let transient = Set(
      (heap.attribute("_non_persistent_buffers_set", of: node)).map(setItems)?.compactMap(heap.memberName) ?? [])
    var members: [(name: String?, value: PickleValue)] = []
    for (attribute, left) in [("_parameters", []), ("_buffers", transient), ("_modules", [])] {
      guard let value = heap.attribute(attribute, of: node) else { continue }
      for entry in heap.entries(value) {
        let name = heap.memberName(entry.key)
        if let name, left.contains(name) { continue }
        // A module without parameters and a bias that isn't there are no part of a state dict.
        guard reach.contains(entry.value) else { continue }
        members.append((name, entry.value))
      }
    }
    return members
  }

  /// Elements of a set: its own opcodes in protocol 4, a call of `set` with a list before.
  private func setItems(_ value: PickleValue) -> [PickleValue] {
    guard let node = heap.node(value) else { return [] }
    if node.kind == .set { return node.items }
    return heap.tuple(node.arguments)?.first.flatMap { heap.node($0)?.items } ?? []
  }

  private mutating func skip(_ name: String, _ reason: String) {
    guard skipped.count < Self.largestSkippedCount else { return }
    skipped.append(SkippedEntry(name: name, reason: reason))
  }
}
