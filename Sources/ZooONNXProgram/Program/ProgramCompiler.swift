import ZooCheckpoint
import ZooFormats

/// Turns nodes into steps: names become places in a frame, functions are written out, constants are computed.
final class ProgramCompiler {
  let limits: ONNXLimits
  let kernels: NativeKernels
  /// Values that are the same in every run, by place; nil for the others.
  private(set) var constants: [ONNXValue?] = []
  private let model: ONNXModel
  private let functions: [String: ONNXModel.Function]
  private var nodeCount = 0
  private var unsupported: [ONNXProgramError.UnsupportedOperator] = []

  init(_ model: ONNXModel, limits: ONNXLimits) throws {
    self.model = model
    self.limits = limits
    kernels = try NativeKernels()
    functions = Dictionary(model.functions.map { ($0.domain + ":" + $0.name, $0) }) { first, _ in first }
  }

  /// The model's own graph.
  func compile() throws -> (Block, inputs: [String: Int]) {
    try checkOperators()
    let scope = Scope(nodes: model.graph.nodes)
    let context = Context(opsets: model.opsets, attributes: nil, depth: 0)
    let block = try compile(model.graph, scope, context)
    var places: [String: Int] = [:]
    for (input, place) in zip(model.graph.inputs, block.inputs) { places[input.name] = place }
    return (block, places)
  }

  /// One function of the model as if it were the graph.
  func compile(_ function: ONNXModel.Function) throws -> (Block, inputs: [String: Int]) {
    var seen: Set<ONNXProgramError.UnsupportedOperator> = []
    check(function.nodes, function.opsets, &seen)
    guard seen.isEmpty else { throw ONNXProgramError(.unsupported(Array(seen))) }
    let scope = Scope(nodes: function.nodes)
    var builder = BlockBuilder()
    var places: [String: Int] = [:]
    for name in function.inputs {
      let place = newPlace()
      (scope.places[name], places[name]) = (place, place)
      builder.block.own.insert(place)
    }
    try compile(function.nodes, scope, Context(opsets: function.opsets, attributes: nil, depth: 0), &builder)
    builder.block.outputs = try function.outputs.map { try place(of: $0, scope, node: nil) }
    return (builder.finished(), places)
  }

  /// What nodes mean beyond themselves.
  struct Context {
    let opsets: [String: Int]
    /// The attributes of the call, inside a function.
    let attributes: [String: ONNXModel.Attribute]?
    let depth: Int

    func opset(_ domain: String) -> Int { opsets[domain] ?? (domain.isEmpty ? 1 : 0) }
    func deeper(_ limit: Int) throws -> Context {
      guard depth < limit else { throw ONNXProgramError(.nestedTooDeep(limit: limit)) }
      return Context(opsets: opsets, attributes: attributes, depth: depth + 1)
    }
  }

  private func newPlace() -> Int {
    constants.append(nil)
    return constants.count - 1
  }

  // MARK: graphs

  private func compile(
    _ graph: ONNXModel.Graph, _ scope: Scope, _ context: Context
  ) throws -> Block {
    var builder = BlockBuilder()
    for input in graph.inputs {
      let place = newPlace()
      scope.places[input.name] = place
      builder.block.inputs.append(place)
      builder.block.own.insert(place)
    }
    for (name, tensor) in graph.initializers.tensors {
      let place = newPlace()
      do { constants[place] = try ONNXValue(tensor) } catch TensorError.notConvertible(let from, _) {
        throw ONNXProgramError(.dtype(found: from, needed: "16 bits or more, or integers"), node: name)
      }
      scope.places[name] = place
    }
    try compile(graph.nodes, scope, context, &builder)
    for output in graph.outputs {
      let place = try place(of: output.name, scope, node: nil)
      guard place != Scope.absentPlace else { throw ONNXProgramError(.missingValue(output.name)) }
      builder.block.outputs.append(place)
    }
    return builder.finished()
  }

  private func place(of name: String, _ scope: Scope, node: BoundNode?) throws -> Int {
    if let place = scope.place(of: name) { return place }
    let fault: ONNXProgramError.Fault = scope.isMadeLater(name) ? .usedBeforeMade(name) : .missingValue(name)
    throw ONNXProgramError(fault, node: node?.name, operatorName: node?.operatorName)
  }

  // MARK: nodes

  private func compile(
    _ nodes: [ONNXModel.Node], _ scope: Scope, _ context: Context, _ builder: inout BlockBuilder
  ) throws {
    for node in nodes {
      nodeCount += 1
      guard nodeCount <= limits.nodes else { throw ONNXProgramError(.tooManyNodes(limit: limits.nodes)) }
      let names = node.inputs
      let node = BoundNode(node, context.attributes)
      let inputs = try names.map { $0.isEmpty ? nil : try place(of: $0, scope, node: node) }
      if let function = functions[node.domain + ":" + node.operatorName] {
        try inline(function, node, inputs, scope, context, &builder)
      } else {
        try add(node, inputs, scope, context, &builder)
      }
    }
  }

  private func define(_ name: String, _ place: Int, _ scope: Scope, _ node: BoundNode) throws {
    guard scope.places[name] == nil else {
      throw ONNXProgramError(.madeTwice(name), node: node.name, operatorName: node.operatorName)
    }
    scope.places[name] = place
  }

  /// The function's nodes in place of the call.
  private func inline(
    _ function: ONNXModel.Function, _ call: BoundNode, _ inputs: [Int?], _ scope: Scope, _ context: Context,
    _ builder: inout BlockBuilder
  ) throws {
    guard context.depth < limits.depth else { throw ONNXProgramError(.nestedTooDeep(limit: limits.depth)) }
    let inner = Scope(nodes: function.nodes)
    for (index, name) in function.inputs.enumerated() {
      if index < inputs.count, let place = inputs[index] {
        inner.places[name] = place
      } else {
        inner.absent.insert(name)
      }
    }
    let attributes = function.attributes.merging(call.attributes) { _, given in given }
    let opsets = function.opsets.isEmpty ? context.opsets : function.opsets
    try compile(
      function.nodes, inner, Context(opsets: opsets, attributes: attributes, depth: context.depth + 1), &builder)
    for (index, name) in function.outputs.enumerated() where index < call.outputs.count {
      if call.outputs[index].isEmpty { continue }
      try define(call.outputs[index], try place(of: name, inner, node: call), scope, call)
    }
  }

  private func add(
    _ node: BoundNode, _ inputs: [Int?], _ scope: Scope, _ context: Context, _ builder: inout BlockBuilder
  ) throws {
    let opset = context.opset(node.domain)
    guard let kernel = OperatorTable.kernel(node.domain, node.operatorName, opset: opset) else {
      throw ONNXProgramError(
        .unsupported([.init(domain: node.domain, name: node.operatorName, opset: opset)]))
    }
    let inputs = inputs.map { place in place.flatMap { $0 == Scope.absentPlace ? nil : $0 } }
    var bodies: [String: Block] = [:]
    for (name, attribute) in node.attributes {
      guard case .graph(let graph) = attribute else { continue }
      bodies[name] = try compile(
        graph, Scope(nodes: graph.nodes, parent: scope), context.deeper(limits.depth))
    }
    let isConstant = inputs.map { $0.map { constants[$0] != nil } ?? true }
    let outputs = node.outputs.map { $0.isEmpty ? nil : newPlace() }
    for (name, place) in zip(node.outputs, outputs) {
      if let place { try define(name, place, scope, node) }
    }
    let step = Step(
      node: node, opset: opset, kernel: kernel, inputs: inputs, outputs: outputs, isConstant: isConstant,
      bodies: bodies)
    if fold(step) { return }
    builder.append(step)
  }

  /// Runs a step whose inputs are all known. One that fails or makes much stays for the run, which may never reach it.
  private func fold(_ step: Step) -> Bool {
    guard step.isConstant.allSatisfy({ $0 }), step.bodies.isEmpty,
      !OperatorTable.isRandom(step.node.operatorName)
    else { return false }
    var small = limits
    small.memory = limits.foldedValue
    let frame = Frame(values: [], limits: small)
    let inputs = step.inputs.map { $0.flatMap { constants[$0] } }
    guard let results = try? step.kernel(KernelCall(step: step, inputs: inputs, frame: frame, kernels: kernels)),
      step.outputs.indices.allSatisfy({ step.outputs[$0] == nil || $0 < results.count }),
      results.reduce(0, { $0 + $1.byteCount }) <= limits.foldedValue
    else { return false }
    for (place, result) in zip(step.outputs, results) {
      if let place { constants[place] = result }
    }
    return true
  }

  // MARK: operators

  /// - Throws: ``ONNXProgramError`` that names all operators without a kernel.
  private func checkOperators() throws {
    var seen: Set<ONNXProgramError.UnsupportedOperator> = []
    check(model.graph.nodes, model.opsets, &seen)
    for function in model.functions {
      check(function.nodes, function.opsets.isEmpty ? model.opsets : function.opsets, &seen)
    }
    guard seen.isEmpty else {
      throw ONNXProgramError(
        .unsupported(seen.sorted { ($0.domain, $0.name, $0.opset) < ($1.domain, $1.name, $1.opset) }))
    }
  }

  private func check(
    _ nodes: [ONNXModel.Node], _ opsets: [String: Int], _ seen: inout Set<ONNXProgramError.UnsupportedOperator>
  ) {
    for node in nodes {
      let opset = Context(opsets: opsets, attributes: nil, depth: 0).opset(node.domain)
      if functions[node.domain + ":" + node.operatorName] == nil,
        OperatorTable.kernel(node.domain, node.operatorName, opset: opset) == nil
      {
        seen.insert(.init(domain: node.domain, name: node.operatorName, opset: opset))
      }
      for case .graph(let graph) in node.attributes.values { check(graph.nodes, opsets, &seen) }
    }
  }
}
