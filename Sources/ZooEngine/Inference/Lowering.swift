import COneDNN
import ZooCheckpoint
import ZooGraph

/// Turns a graph into oneDNN steps: layouts for the whole graph first, then kernels, then places in memory.
///
/// Every picture-shaped value is channel-blocked from end to end except the input, which the first convolution reads as it
/// is; flattening and outputs are row-major.
struct Lowering {
  let network: Network
  private let options: CompileOptions
  let shapes: [[Int]]
  let handle: OpaquePointer
  private let algorithms: AlgorithmChoice
  private var tensors: [ValueID: Int32] = [:]
  private var steps: [(name: String, reads: [Int32], writes: Int32)] = []
  /// Tensors that stand inside another's memory: in whose, and how many bytes from its start.
  private(set) var places: [Int32: (home: Int32, offset: Int)] = [:]
  /// Tensors that share memory with another that is still read: nothing may be summed into them.
  private var shared: Set<Int32> = []

  init(_ network: Network, inputShape: [Int], options: CompileOptions) throws {
    self.network = network
    self.options = options
    shapes = try network.graph.inferShapes(input: inputShape)
    guard let handle = zoo_network_create(Int32(options.threads ?? 0)) else {
      throw EngineError.kernel(node: "start", problem: "can't be started")
    }
    self.handle = handle
    algorithms = AlgorithmChoice(options: options)
  }

  /// The plan. The handle goes to it, or away where lowering fails.
  static func plan(_ network: Network, inputShape: [Int], options: CompileOptions) throws -> Plan {
    var lowering = try Lowering(network, inputShape: inputShape, options: options)
    do {
      return try lowering.lower(inputShape: inputShape)
    } catch {
      zoo_network_destroy(lowering.handle)
      throw error
    }
  }

  private mutating func lower(inputShape: [Int]) throws -> Plan {
    let graph = network.graph
    let input = try addTensor(inputShape, ZOO_PLAIN)
    tensors[graph.input] = input
    for node in graph.nodes { try lower(node) }
    var outputs: [Int32] = []
    for value in graph.outputs {
      // An output is written into memory that is not the arena's, so nothing else may share it.
      let plain = try addTensor(shapes[value.index], ZOO_PLAIN)
      try step(
        "output", zoo_network_add_reorder(handle, try tensor(value), plain), reads: [try tensor(value)], writes: plain)
      outputs.append(plain)
    }
    try place(input: input, outputs: outputs)
    let kernels = steps.indices.map { String(cString: zoo_network_step_kernel(handle, Int32($0))) }
    Trace.plan(steps.map(\.name), kernels: kernels, bytes: Int(zoo_network_memory(handle)))
    algorithms.save()
    return Plan(
      network: handle, kernels: kernels, input: input, outputs: outputs, inputShape: inputShape,
      outputShapes: graph.outputs.map { shapes[$0.index] })
  }

  mutating func addTensor(_ shape: [Int], _ layout: zoo_layout) throws -> Int32 {
    guard shape.count == 2 || shape.count == 4, !shape.contains(0),
      shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).0 }) < 1 << 40
    else { throw EngineError.tooLarge(shape: shape) }
    let number = shape.map(Int64.init).withUnsafeBufferPointer {
      zoo_network_add_tensor(handle, Int32(shape.count), $0.baseAddress, layout)
    }
    return try checked(number, "tensor")
  }

  private func checked(_ number: Int32, _ name: String) throws -> Int32 {
    guard number >= 0 else { throw EngineError.kernel(node: name, problem: String(cString: zoo_network_error(handle))) }
    return number
  }

  func tensor(_ value: ValueID) throws -> Int32 {
    guard let tensor = tensors[value] else {
      throw EngineError.unsupported(node: "value \(value.index)", problem: "is used before it is made")
    }
    return tensor
  }

  mutating func step(_ name: String, _ number: Int32, reads: [Int32], writes: Int32) throws {
    _ = try checked(number, name)
    steps.append((name, reads, writes))
  }

  /// The value channel-blocked: the graph's input is the only picture that isn't.
  mutating func blocked(_ value: ValueID) throws -> Int32 {
    let source = try tensor(value)
    guard value == network.graph.input, shapes[value.index].count == 4 else { return source }
    let target = try addTensor(shapes[value.index], ZOO_BLOCKED)
    try step("reorder", zoo_network_add_reorder(handle, source, target), reads: [source], writes: target)
    return target
  }

  /// Lets a value be a tensor that is there already.
  mutating func share(_ tensor: Int32, by value: ValueID) { tensors[value] = tensor }

  mutating func output(of node: Node) throws -> Int32 {
    let shape = shapes[node.output.index]
    let tensor = try addTensor(shape, shape.count == 4 ? ZOO_BLOCKED : ZOO_PLAIN)
    tensors[node.output] = tensor
    return tensor
  }

  private mutating func lower(_ node: Node) throws {
    let x = node.inputs[0]
    switch node.operation {
    case .convolution(let convolution): try lower(convolution, node)
    case .linear(let hasBias, let epilogue): try lowerLinear(node, hasBias: hasBias, epilogue)
    case .maxPool(let pooling): try lower(pooling, ZOO_MAX, node)
    case .averagePool(let pooling):
      try lower(pooling, pooling.countIncludePad ? ZOO_AVERAGE_WITH_PADDING : ZOO_AVERAGE_WITHOUT_PADDING, node)
    case .adaptiveAveragePool(let height, let width): try lowerAdaptive(node, height: height, width: width)
    case .flatten: try lowerFlatten(node)
    case .activation(let kind):
      let source = try blocked(x)
      let target = try output(of: node)
      try step(
        node.name, zoo_network_add_activation(handle, source, target, kind.code), reads: [source], writes: target)
    case .add:
      let (first, second) = (try blocked(x), try blocked(node.inputs[1]))
      let target = try output(of: node)
      try step(node.name, zoo_network_add_sum(handle, first, second, target), reads: [first, second], writes: target)
    case .softmax:
      guard shapes[x.index].count == 2 else {
        throw EngineError.unsupported(node: node.name, problem: "softmax takes [N, classes]")
      }
      let source = try tensor(x)
      let target = try output(of: node)
      try step(node.name, zoo_network_add_softmax(handle, source, target), reads: [source], writes: target)
    case .layerNormalization(let axis, let epsilon): try lowerNormalization(node, axis: axis, epsilon: epsilon)
    case .gate: try lowerGate(node)
    case .gatherChannels(let channels): try lowerGather(node, channels)
    case .concatenate(let axis): try lowerConcatenation(node, axis: axis)
    case .resize: try lowerResize(node)
    case .dropout: tensors[node.output] = try tensor(x)
    case .attention(let attention): try lowerAttention(node, attention)
    case .tokens: try lowerTokens(node)
    case .rearrange(let rearrangement): try lowerRearrangement(node, rearrangement)
    case .sequence: throw EngineError.unsupported(node: node.name, problem: "is a step of a sequence, not of a picture")
    case .batchNormalization, .channelScale, .channelAffine, .channelShift, .reshape, .transpose:
      throw EngineError.unsupported(node: node.name, problem: "is folded into a convolution before lowering")
    }
  }

  private mutating func lower(_ convolution: Convolution, _ node: Node) throws {
    let (x, y) = (shapes[node.inputs[0].index], shapes[node.output.index])
    var window = try convolution.window(input: x, weight: shapes[node.inputs[1].index], node: node.name)
    // The first convolution of few channels has kernels that read row-major pictures.
    let readsPlain = node.inputs[0] == network.graph.input && convolution.groups == 1 && x[1] < 4
    var source = Source(tensor: readsPlain ? try tensor(node.inputs[0]) : try blocked(node.inputs[0]), shape: x)
    let residual = convolution.epilogue.contains(.addResidual) ? node.inputs.last : nil
    let residualTensor = try residual.map { try blocked($0) }
    let target = try output(of: node)
    let epilogue = try self.epilogue(convolution.epilogue, node)
    let groups = convolution.groups
    var isPlain = false
    if !readsPlain, isSlow(source, target, groups: groups, window, epilogue) {
      source = try padded(source, &window, node)
      isPlain = isSlow(source, target, groups: groups, window, epilogue)
    }
    var ends = (source: source.tensor, target: target)
    if isPlain {
      ends = try plainEnds(source, residual: residualTensor, node)
    } else if let residualTensor {
      try takeOver(residualTensor, of: residual, by: target, node)
    }
    let algorithm =
      isPlain
      ? ZOO_DIRECT
      : algorithms.choose(
        handle, ends.source, target, groups: groups, window: window, epilogue: epilogue, input: x, output: y)
    let bias = convolution.hasBias ? network.weights[try name(of: node.inputs[2])] : nil
    let number = try withWeights(try name(of: node.inputs[1]), bias) { weights, bias in
      zoo_network_add_convolution(
        handle, ends.source, ends.target, weights, bias, Int64(groups), &window, algorithm, epilogue)
    }
    let summand = residualTensor.map { isPlain ? ends.target : $0 }
    try step(node.name, number, reads: [ends.source] + (summand.map { [$0] } ?? []), writes: ends.target)
    guard isPlain else { return }
    try step(
      "reorder", zoo_network_add_reorder(handle, ends.target, target), reads: [ends.target], writes: target)
  }

  /// The sum is made in place: the result takes the residual's memory where nobody reads that later, else a copy of it.
  private mutating func takeOver(_ residual: Int32, of value: ValueID?, by target: Int32, _ node: Node) throws {
    if isLastRead(of: value, residual, by: node) {
      places[target] = (residual, 0)
    } else {
      try step("copy", zoo_network_add_reorder(handle, residual, target), reads: [residual], writes: target)
    }
  }

  /// Whether nobody reads the value after `node`, so that its memory may take the node's result.
  func isLastRead(of value: ValueID?, _ tensor: Int32, by node: Node) -> Bool {
    let position = network.graph.nodes.firstIndex { $0.output == node.output } ?? 0
    let isReadLater = network.graph.nodes[(position + 1)...].contains { $0.inputs.contains { $0 == value } }
    let isOutput = network.graph.outputs.contains { $0 == value }
    return !isReadLater && !isOutput && value != network.graph.input && !shared.contains(tensor)
  }

  private func epilogue(_ parts: [Epilogue], _ node: Node) throws -> zoo_epilogue {
    var result = zoo_epilogue(adds_output: 0, activation: ZOO_NO_ACTIVATION)
    for part in parts {
      switch part {
      case .addResidual:
        guard result.activation == ZOO_NO_ACTIVATION else {
          throw EngineError.unsupported(node: node.name, problem: "a sum after an activation can't be fused")
        }
        result.adds_output = 1
      case .activation(let kind): result.activation = kind.code
      }
    }
    return result
  }

  /// Whether some step writes the tensor, so that it stands in the arena.
  func isMadeHere(_ tensor: Int32) -> Bool { shared.contains(tensor) || steps.contains { $0.writes == tensor } }

  /// Puts a tensor into the memory of a larger one.
  mutating func stand(_ tensor: Int32, in home: Int32, offset: Int) {
    places[tensor] = (home, offset)
    shared.formUnion([tensor, home])
  }

  /// Lets a tensor be made where another of its size stands.
  mutating func share(_ tensor: Int32, placeOf other: Int32) { places[tensor] = (other, 0) }

  func name(of value: ValueID) throws -> String {
    guard let parameter = network.graph.parameters.first(where: { $0.value == value }) else {
      throw EngineError.unsupported(node: "value \(value.index)", problem: "weights must be parameters")
    }
    return parameter.name
  }

  private func withWeights(
    _ name: String, _ bias: FloatTensor?, _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Int32
  ) throws -> Int32 {
    guard let weights = network.weights[name] else { throw EngineError.missingWeight(name: name) }
    return try weights.withValues { weights in
      guard let bias else { return body(weights.baseAddress, nil) }
      return try bias.withValues { body(weights.baseAddress, $0.baseAddress) }
    }
  }

  private mutating func lowerLinear(_ node: Node, hasBias: Bool, _ parts: [Epilogue]) throws {
    let source = try tensor(node.inputs[0])
    let target = try output(of: node)
    let bias = hasBias ? network.weights[try name(of: node.inputs[2])] : nil
    let epilogue = try self.epilogue(parts, node)
    let number = try withWeights(try name(of: node.inputs[1]), bias) { weights, bias in
      zoo_network_add_linear(handle, source, target, weights, bias, epilogue)
    }
    try step(node.name, number, reads: [source], writes: target)
  }

  private mutating func lower(_ pooling: Pooling, _ kind: zoo_pooling_kind, _ node: Node) throws {
    var window = try pooling.window(input: shapes[node.inputs[0].index], node: node.name)
    let source = try blocked(node.inputs[0])
    guard kind == ZOO_AVERAGE_WITH_PADDING, window.exceeds(pooling.padding) else {
      let target = try output(of: node)
      return try step(
        node.name, zoo_network_add_pooling(handle, source, target, kind, &window), reads: [source], writes: target)
    }
    // oneDNN divides by the whole window, torch by what of it lies inside the padding.
    let shape = shapes[node.output.index]
    let sums = try addTensor(shape, ZOO_BLOCKED)
    try step(node.name, zoo_network_add_pooling(handle, source, sums, kind, &window), reads: [source], writes: sums)
    let factors = try pooling.partialWindowFactors(input: shapes[node.inputs[0].index], output: shape, node: node.name)
    let target = try output(of: node)
    try step(
      node.name + ".partial", zoo_network_add_pixel_scale(handle, sums, target, factors), reads: [sums], writes: target)
  }

  private mutating func lowerAdaptive(_ node: Node, height: Int, width: Int) throws {
    let x = shapes[node.inputs[0].index]
    if x[2] == height && x[3] == width {
      tensors[node.output] = try blocked(node.inputs[0])
    } else if x[2] % height == 0 && x[3] % width == 0 {
      let kernel = [x[2] / height, x[3] / width]
      try lower(Pooling(kernel: kernel, stride: kernel), ZOO_AVERAGE_WITHOUT_PADDING, node)
    } else {
      let source = try blocked(node.inputs[0])
      let plain = try addTensor(x, ZOO_PLAIN)
      try step("reorder", zoo_network_add_reorder(handle, source, plain), reads: [source], writes: plain)
      let pooled = try addTensor(shapes[node.output.index], ZOO_PLAIN)
      try step(node.name, zoo_network_add_adaptive_average(handle, plain, pooled), reads: [plain], writes: pooled)
      let target = try output(of: node)
      try step("reorder", zoo_network_add_reorder(handle, pooled, target), reads: [pooled], writes: target)
    }
  }

  private mutating func lowerFlatten(_ node: Node) throws {
    let x = shapes[node.inputs[0].index]
    let source = try tensor(node.inputs[0])
    guard x.count == 4 else { return tensors[node.output] = source }
    let plain = try addTensor(x, ZOO_PLAIN)
    try step(node.name, zoo_network_add_reorder(handle, source, plain), reads: [source], writes: plain)
    let target = try output(of: node)
    places[target] = (plain, 0)
  }

  /// Lifetimes, then offsets. Tensors that share memory by intent live as one.
  private func place(input: Int32, outputs: [Int32]) throws {
    func place(of tensor: Int32) -> (root: Int32, offset: Int) {
      var (root, offset) = (tensor, 0)
      while let next = places[root] { (root, offset) = (next.home, offset + next.offset) }
      return (root, offset)
    }
    var lives: [Int32: (first: Int, last: Int)] = [:]
    for (index, step) in steps.enumerated() {
      for tensor in step.reads + [step.writes] {
        let root = place(of: tensor).root
        lives[root] = (lives[root]?.first ?? index, index)
      }
    }
    let outside = Set(outputs + [input])
    let requests = lives.filter { !outside.contains($0.key) }.map {
      ArenaPlanner.Request(
        id: Int($0.key), bytes: Int(zoo_network_tensor_bytes(handle, $0.key)), first: $0.value.first,
        last: $0.value.last)
    }
    let (offsets, bytes) = ArenaPlanner.place(requests)
    let named = Set(steps.flatMap { $0.reads + [$0.writes] }).subtracting(outside)
    for tensor in named {
      let (root, inside) = place(of: tensor)
      guard let offset = offsets[Int(root)] else { continue }
      zoo_network_place(handle, tensor, Int64(offset + inside))
    }
    _ = try checked(zoo_network_finish(handle, Int64(bytes)), "arena")
  }
}

extension Activation {
  var code: zoo_activation {
    switch self {
    case .relu: ZOO_RELU
    case .relu6: ZOO_RELU6
    case .sigmoid: ZOO_SIGMOID
    case .silu: ZOO_SILU
    case .gelu: ZOO_GELU
    case .geluTanh: ZOO_GELU_TANH
    case .hardSigmoid: ZOO_HARD_SIGMOID
    case .hardSwish: ZOO_HARD_SWISH
    case .tanh: ZOO_TANH
    }
  }
}
