/// Runs a pickle's opcodes into inert values: nothing is imported, called or constructed.
///
/// A class or function is a name; what a pickle would build from it is a record of that name, its arguments and
/// its state.
struct PickleInterpreter {
  var cursor: PickleCursor
  var heap = PickleHeap()
  let limits: PickleLimits
  private(set) var globals: [PickleGlobal] = []
  private var stack: [PickleValue] = []
  /// Stack heights at which MARK stood.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  /// Offset of the opcode at work.
  private var place: Int

  private init(cursor: PickleCursor, limits: PickleLimits) {
    self.cursor = cursor
    self.limits = limits
    self.place = cursor.offset
  }

  /// Reads one pickle that starts at `offset` of the bytes.
  ///
  /// - Throws: ``PickleError``.
  static func read(
    _ bytes: UnsafeRawBufferPointer, at offset: Int = 0, file: String, member: String?,
    limits: PickleLimits = .standard
  ) throws(PickleError) -> PickleDocument {
    let (document, error) = readAsFar(bytes, at: offset, file: file, member: member, limits: limits)
    if let error { throw error }
    return document
  }

  /// Reads as much of a pickle as can be read, for those who ask what it would have done until it breaks off.
  ///
  /// - Returns: what was read, with None at its root where an error ends it.
  static func readAsFar(
    _ bytes: UnsafeRawBufferPointer, at offset: Int = 0, file: String, member: String?,
    limits: PickleLimits = .standard
  ) -> (PickleDocument, PickleError?) {
    // A legacy file's pickles stand before gigabytes of weights, so what follows must not count.
    let isWindow = bytes.count - offset > limits.bytes
    let window = isWindow ? UnsafeRawBufferPointer(rebasing: bytes[..<(offset + limits.bytes)]) : bytes
    var interpreter = PickleInterpreter(cursor: PickleCursor(window, offset: offset), limits: limits)
    var (root, error): (PickleValue, PickleError?) = (.none, nil)
    do throws(PickleFault) { root = try interpreter.run() } catch let caught {
      var fault = caught.fault
      if isWindow, case .truncated = fault { fault = .overLimit(what: "bytes of pickle", limit: limits.bytes) }
      error = PickleError(file: file, member: member, offset: interpreter.place, fault: fault)
    }
    let document = PickleDocument(
      heap: interpreter.heap, root: root, globals: interpreter.globals, end: interpreter.cursor.offset)
    return (document, error)
  }

  private mutating func run() throws(PickleFault) -> PickleValue {
    for _ in 0..<limits.opcodes {
      place = cursor.offset
      let byte = try cursor.byte()
      guard let opcode = PickleOpcode(rawValue: byte) else { throw PickleFault(.unknownOpcode(byte)) }
      if opcode == .stop { return try pop(opcode) }
      try step(opcode)
    }
    throw over("opcodes", limits.opcodes)
  }

  private mutating func step(_ opcode: PickleOpcode) throws(PickleFault) {
    switch opcode {
    case .proto:
      let version = try cursor.byte()
      guard version <= 5 else { throw PickleFault(.unsupportedProtocol(Int(version))) }
    case .frame: _ = try cursor.length(8)
    case .stop: break
    case .mark, .pop, .popMark, .dup: try moveStack(opcode)
    case .get, .binGet, .longBinGet, .put, .binPut, .longBinPut, .memoize: try remember(opcode)
    case .none, .newTrue, .newFalse, .int, .binInt, .binInt1, .binInt2, .long, .long1, .long4, .float, .binFloat:
      try push(try cursor.number(opcode))
    case .string, .binString, .shortBinString, .unicode, .binUnicode, .shortBinUnicode, .binUnicode8, .binBytes,
      .shortBinBytes, .binBytes8, .byteArray8:
      try push(try cursor.text(opcode))
    case .emptyTuple, .tuple1, .tuple2, .tuple3, .tuple, .emptyList, .list, .emptyDict, .dict, .emptySet, .frozenSet:
      try pushContainer(opcode)
    case .append, .appends, .addItems, .setItem, .setItems: try fill(opcode)
    case .global, .stackGlobal: try pushGlobal(opcode)
    case .reduce, .newObj, .newObjEx, .inst, .obj, .build, .persistentID, .binPersistentID: try pushObject(opcode)
    case .ext1, .ext2, .ext4, .nextBuffer, .readOnlyBuffer:
      throw PickleFault(.outsideReference(opcode: "\(opcode)"))
    }
  }

  // MARK: Stack and memo

  func over(_ what: String, _ limit: Int) -> PickleFault { PickleFault(.overLimit(what: what, limit: limit)) }

  mutating func push(_ value: PickleValue) throws(PickleFault) {
    guard stack.count < limits.stack else { throw over("values on the stack", limits.stack) }
    stack.append(value)
  }

  mutating func push(_ node: PickleNode) throws(PickleFault) {
    guard heap.nodes.count < limits.nodes else { throw over("objects", limits.nodes) }
    try push(heap.add(node))
  }

  /// Takes the top value, never from below the last mark.
  mutating func pop(_ opcode: PickleOpcode) throws(PickleFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw PickleFault(.stackUnderflow(opcode: "\(opcode)"))
    }
    return value
  }

  /// Takes what stands above the last mark, and the mark.
  mutating func popToMark(_ opcode: PickleOpcode) throws(PickleFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw PickleFault(.stackUnderflow(opcode: "\(opcode)")) }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  func top(_ opcode: PickleOpcode) throws(PickleFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw PickleFault(.stackUnderflow(opcode: "\(opcode)"))
    }
    return value
  }

  private mutating func moveStack(_ opcode: PickleOpcode) throws(PickleFault) {
    switch opcode {
    case .mark:
      guard marks.count < limits.marks else { throw over("nested marks", limits.marks) }
      marks.append(stack.count)
    case .popMark: _ = try popToMark(opcode)
    case .dup: try push(try top(opcode))
    default:
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop(opcode) }
    }
  }

  private mutating func remember(_ opcode: PickleOpcode) throws(PickleFault) {
    let index: Int
    switch opcode {
    case .get, .put:
      guard let number = Int(String(pickled: try cursor.line())), number >= 0 else { throw PickleFault(.badNumber) }
      index = number
    case .binGet, .binPut: index = Int(try cursor.unsigned(1))
    case .longBinGet, .longBinPut: index = Int(try cursor.unsigned(4))
    default: index = memo.count
    }
    switch opcode {
    case .get, .binGet, .longBinGet:
      guard let value = memo[index] else { throw PickleFault(.missingMemo(index: index)) }
      try push(value)
    default:
      guard memo.count < limits.memo else { throw over("memo entries", limits.memo) }
      memo[index] = try top(opcode)
    }
  }

  // MARK: Names

  private mutating func pushGlobal(_ opcode: PickleOpcode) throws(PickleFault) {
    if opcode == .global {
      let module = String(pickled: try cursor.line())
      try push(try global(module: module, name: String(pickled: try cursor.line())))
    } else {
      let name = try pop(opcode)
      let module = try pop(opcode)
      guard case .string(let name) = name, case .string(let module) = module else {
        throw wrongType(opcode, heap.describe(name), "two strings")
      }
      try push(try global(module: module, name: name))
    }
  }

  /// A node for the name, which is also listed with its offset.
  mutating func global(module: String, name: String) throws(PickleFault) -> PickleNode {
    guard module.utf8.count + name.utf8.count <= limits.nameLength else {
      throw over("bytes in a class name", limits.nameLength)
    }
    guard globals.count < limits.globals else { throw over("class names", limits.globals) }
    let fullName = module + "." + name
    globals.append(
      PickleGlobal(
        name: fullName, offset: place,
        isDangerous: CodeRunningCallables.contains(module: module, name: name)))
    return PickleNode(kind: .global, name: fullName)
  }

  func wrongType(_ opcode: PickleOpcode, _ found: String, _ expected: String) -> PickleFault {
    PickleFault(.wrongType(opcode: "\(opcode)", found: found, expected: expected))
  }
}
