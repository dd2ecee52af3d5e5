extension PickleInterpreter {
  /// Records what an opcode would have constructed.
  mutating func pushObject(_ opcode: PickleOpcode) throws(PickleFault) {
    switch opcode {
    case .reduce, .newObj:
      let arguments = try pop(opcode)
      try pushRecord(of: try pop(opcode), arguments, opcode)
    case .newObjEx:
      _ = try pop(opcode)
      let arguments = try pop(opcode)
      try pushRecord(of: try pop(opcode), arguments, opcode)
    case .obj:
      let values = try popToMark(opcode)
      guard let callable = values.first else { throw PickleFault(.stackUnderflow(opcode: "\(opcode)")) }
      try pushRecord(of: callable, heap.add(PickleNode(kind: .tuple, items: Array(values.dropFirst()))), opcode)
    case .inst:
      let module = String(pickled: try cursor.line())
      let callable = heap.add(try global(module: module, name: String(pickled: try cursor.line())))
      let arguments = heap.add(PickleNode(kind: .tuple, items: try popToMark(opcode)))
      try pushRecord(of: callable, arguments, opcode)
    case .build: try build()
    case .persistentID:
      let identifier = String(pickled: try cursor.line())
      try push(PickleNode(kind: .persistent, arguments: .string(identifier)))
    default: try push(PickleNode(kind: .persistent, arguments: try pop(opcode)))
    }
  }

  private mutating func pushRecord(
    of callable: PickleValue, _ arguments: PickleValue, _ opcode: PickleOpcode
  ) throws(PickleFault) {
    guard heap.tuple(arguments) != nil else { throw wrongType(opcode, heap.describe(arguments), "a tuple") }
    switch heap.node(callable)?.kind {
    case .global, .object, .persistent: break
    default: throw wrongType(opcode, heap.describe(callable), "a class or function")
    }
    try push(PickleNode(kind: .object, callable: callable, arguments: arguments))
  }

  private mutating func build() throws(PickleFault) {
    let state = try pop(.build)
    let target = try top(.build)
    guard case .node(let index) = target, heap[index].kind == .object else {
      throw wrongType(.build, heap.describe(target), "an object")
    }
    heap[index].state = state
  }
}
