extension PickleInterpreter {
  mutating func pushContainer(_ opcode: PickleOpcode) throws(PickleFault) {
    switch opcode {
    case .emptyTuple: try push(PickleNode(kind: .tuple))
    case .tuple1: try pushTuple(1, opcode)
    case .tuple2: try pushTuple(2, opcode)
    case .tuple3: try pushTuple(3, opcode)
    case .tuple: try push(PickleNode(kind: .tuple, items: try popToMark(opcode)))
    case .emptyList: try push(PickleNode(kind: .list))
    case .list: try push(PickleNode(kind: .list, items: try popToMark(opcode)))
    case .emptyDict: try push(PickleNode(kind: .dictionary))
    case .dict:
      let entries = try entries(try popToMark(opcode), opcode)
      try push(PickleNode(kind: .dictionary, entries: entries))
    case .frozenSet: try push(PickleNode(kind: .set, items: try popToMark(opcode)))
    default: try push(PickleNode(kind: .set))
    }
  }

  private mutating func pushTuple(_ count: Int, _ opcode: PickleOpcode) throws(PickleFault) {
    var items: [PickleValue] = []
    for _ in 0..<count { items.append(try pop(opcode)) }
    try push(PickleNode(kind: .tuple, items: items.reversed()))
  }

  /// Puts values into the container below them, which must be of the opcode's kind.
  mutating func fill(_ opcode: PickleOpcode) throws(PickleFault) {
    let values: [PickleValue]
    switch opcode {
    case .append: values = [try pop(opcode)]
    case .setItem:
      let value = try pop(opcode)
      values = [try pop(opcode), value]
    default: values = try popToMark(opcode)
    }
    let target = try top(opcode)
    guard case .node(let index) = target else { throw wrongType(opcode, heap.describe(target), "a container") }
    let kind = heap[index].kind
    switch opcode {
    case .append, .appends:
      guard kind == .list || kind == .object else { throw wrongType(opcode, heap.describe(target), "a list") }
      heap[index].items += values
    case .addItems:
      guard kind == .set || kind == .object else { throw wrongType(opcode, heap.describe(target), "a set") }
      heap[index].items += values
    default:
      guard kind == .dictionary || kind == .object else {
        throw wrongType(opcode, heap.describe(target), "a dictionary")
      }
      heap[index].entries += try entries(values, opcode)
    }
  }

  private func entries(_ values: [PickleValue], _ opcode: PickleOpcode) throws(PickleFault) -> [PickleEntry] {
    guard values.count.isMultiple(of: 2) else { throw PickleFault(.stackUnderflow(opcode: "\(opcode)")) }
    return stride(from: 0, to: values.count, by: 2).map { PickleEntry(key: values[$0], value: values[$0 + 1]) }
  }
}
