import COneDNN
import ZooCheckpoint
import ZooGraph

/// The layers of a training network for one batch size.
final class TrainingProgram {
  let classes: Int
  /// Logits of one example.
  let outputCount: Int
  let handle: OpaquePointer
  let graph: Graph
  let layout: ParameterLayout
  let buffers: ParameterLayout
  let trainable: Set<String>
  private let options: TrainingOptions
  let shapes: [[Int]]
  let names: [ValueID: String]
  var tensors: [ValueID: Int32] = [:]
  var wantsGradient: Set<ValueID> = []
  private let arena: TrainingArena
  /// By the output of a BatchNorm that only a rectifier reads: the rectifier's output.
  private let rectified: [ValueID: ValueID]

  /// - Parameter arena: shared with the network's programs for other batch sizes; one of them runs at a time.
  init(
    graph: Graph, layout: ParameterLayout, buffers: ParameterLayout, trainable: Set<String>, inputShape: [Int],
    sizes: [ValueID: [Int]], options: TrainingOptions, arena: TrainingArena
  ) throws {
    let shapes = try graph.inferShapes(input: inputShape, sizes: sizes)
    guard let output = graph.outputs.first, graph.outputs.count == 1, [2, 4].contains(shapes[output.index].count) else {
      throw EngineError.unsupported(
        node: "output", problem: "training takes one output, [N, classes] or [N, classes, H, W]")
    }
    guard let handle = zoo_trainer_create(Int32(options.threads ?? 0), arena.handle) else {
      throw EngineError.kernel(node: "start", problem: "can't be started")
    }
    self.handle = handle
    self.graph = graph
    self.layout = layout
    self.buffers = buffers
    self.trainable = trainable
    self.options = options
    self.arena = arena
    self.shapes = shapes
    rectified = graph.rectifiedNormalizations()
    names = graph.parametersByValue.mapValues(\.name)
    classes = shapes[output.index][1]
    outputCount = shapes[output.index].dropFirst().reduce(1, *)
    let input = try addTensor(graph.input)
    for node in graph.nodes { try add(node) }
    guard let result = tensors[output] else { throw EngineError.unsupported(node: "output", problem: "is never made") }
    try check(zoo_trainer_finish(handle, input, result), "finish")
    placeMemory()
  }

  deinit { zoo_trainer_destroy(handle) }

  private func placeMemory() {
    let requests = (0..<zoo_trainer_slot_count(handle)).map { number in
      let slot = zoo_trainer_slot(handle, number)
      return ArenaPlanner.Request(
        id: Int(number), bytes: Int(slot.bytes), first: Int(slot.first), last: Int(slot.last))
    }
    let (offsets, bytes) = ArenaPlanner.place(requests)
    zoo_trainer_place(handle, requests.map { Int64(offsets[$0.id] ?? 0) }, Int64(bytes))
  }

  func forward(
    _ input: UnsafeBufferPointer<Float>, parameters: [Float], buffers: inout [Float], seed: UInt64,
    output: inout [Float]
  ) throws {
    try check(zoo_trainer_forward(handle, input.baseAddress, parameters, &buffers, seed, &output), "forward")
  }

  func backward(_ gradient: [Float], parameters: [Float], gradients: inout [Float]) throws {
    try check(zoo_trainer_backward(handle, gradient, parameters, &gradients), "backward")
  }

  func check(_ status: Int32, _ name: String) throws {
    guard status >= 0 else {
      throw EngineError.kernel(node: name, problem: String(cString: zoo_trainer_error(handle)))
    }
  }

  private func addTensor(_ value: ValueID) throws -> Int32 {
    let shape = shapes[value.index]
    guard shape.count == 2 || shape.count == 4, !shape.contains(0) else { throw EngineError.tooLarge(shape: shape) }
    let number = shape.map(Int64.init).withUnsafeBufferPointer {
      zoo_trainer_add_tensor(handle, Int32(shape.count), $0.baseAddress, wantsGradient.contains(value) ? 1 : 0)
    }
    try check(number, "tensor")
    tensors[value] = number
    return number
  }

  func tensor(_ value: ValueID) throws -> Int32 {
    guard let tensor = tensors[value] else {
      throw EngineError.unsupported(node: "value \(value.index)", problem: "is used before it is made")
    }
    return tensor
  }

  private func add(_ node: Node) throws {
    if case .dropout(let probability) = node.operation, !options.dropsOut || probability <= 0 {
      tensors[node.output] = try tensor(node.inputs[0])
      if wantsGradient.contains(node.inputs[0]) { wantsGradient.insert(node.output) }
      return
    }
    if node.inputs.contains(where: { wantsGradient.contains($0) || names[$0].map(trainable.contains) ?? false }) {
      wantsGradient.insert(node.output)
    }
    if try addReshape(node) { return }
    let x = try tensor(node.inputs[0])
    if try addIdleRearrangement(node, x) { return }
    // The rectifier has been done with the BatchNorm before it.
    if tensors[node.output] != nil { return }
    if let rectified = rectified[node.output] {
      if wantsGradient.contains(node.output) { wantsGradient.insert(rectified) }
      tensors[node.output] = try addTensor(rectified)
    }
    let y = try tensors[node.output] ?? addTensor(node.output)
    switch node.operation {
    case .convolution(let convolution):
      guard convolution.epilogue.isEmpty else { throw fused(node) }
      try addConvolution(convolution, node, x, y)
    case .linear(let hasBias, let epilogue):
      guard epilogue.isEmpty else { throw fused(node) }
      try addLinear(node, x, y, hasBias: hasBias)
    case .batchNormalization(let epsilon, let momentum): try addBatchNormalization(node, x, y, epsilon, momentum)
    case .activation(let kind): try check(zoo_trainer_add_activation(handle, x, y, kind.code), node.name)
    case .maxPool(let pooling): try addPooling(pooling, ZOO_MAX, node, x, y)
    case .averagePool(let pooling):
      let kind = pooling.countIncludePad ? ZOO_AVERAGE_WITH_PADDING : ZOO_AVERAGE_WITHOUT_PADDING
      try addPooling(pooling, kind, node, x, y)
    case .adaptiveAveragePool: try check(zoo_trainer_add_adaptive_average(handle, x, y), node.name)
    case .add: try check(zoo_trainer_add_sum(handle, x, try tensor(node.inputs[1]), y), node.name)
    case .flatten: try check(zoo_trainer_add_flatten(handle, x, y), node.name)
    case .dropout(let probability): try check(zoo_trainer_add_dropout(handle, x, y, probability), node.name)
    case .layerNormalization(let axis, let epsilon):
      guard axis == 1 else {
        throw EngineError.unsupported(node: node.name, problem: "training normalises channels only")
      }
      let parameters = try parameters(node, hasBias: true)
      try check(zoo_trainer_add_layer_normalization(handle, x, y, parameters, epsilon), node.name)
    case .channelScale:
      try check(zoo_trainer_add_channel_scale(handle, x, y, try parameters(node, hasBias: false)), node.name)
    case .channelAffine(let scale, let shift):
      try check(zoo_trainer_add_channel_affine(handle, x, y, scale, shift), node.name)
    case .gate: try check(zoo_trainer_add_gate(handle, x, try tensor(node.inputs[1]), y), node.name)
    case .gatherChannels(let channels):
      let parts = try node.inputs.map { try tensor($0) }
      let numbers = channels.map(Int32.init)
      try check(zoo_trainer_add_channel_gather(handle, Int32(parts.count), parts, y, numbers), node.name)
    case .concatenate(let axis):
      guard axis == 1 else { throw EngineError.unsupported(node: node.name, problem: "training joins channels only") }
      let parts = try node.inputs.map { try tensor($0) }
      try check(zoo_trainer_add_concatenation(handle, Int32(parts.count), parts, y), node.name)
    case .resize: try check(zoo_trainer_add_resize(handle, x, y), node.name)
    case .attention(let attention): try addAttention(attention, node, x, y)
    case .tokens: try addTokens(node, x, y)
    case .rearrange(let rearrangement): try addRearrangement(rearrangement, node, x, y)
    case .channelShift(let exceptions):
      let (first, last) = (Int64(exceptions.lowerBound), Int64(exceptions.upperBound))
      let parameters = try parameters(node, hasBias: false)
      try check(zoo_trainer_add_channel_shift(handle, x, y, parameters, first, last), node.name)
    case .sequence: throw EngineError.unsupported(node: node.name, problem: "is a step of a sequence, not of a picture")
    case .reshape, .transpose: throw EngineError.unsupported(node: node.name, problem: "only parameters are reshaped")
    case .softmax: throw EngineError.unsupported(node: node.name, problem: "the loss takes logits: leave softmax out")
    }
  }

  private func fused(_ node: Node) -> EngineError {
    .unsupported(node: node.name, problem: "training takes the graph before its operations are fused")
  }

  func offset(of value: ValueID, in layout: ParameterLayout) throws -> Int64 {
    guard let name = names[value], let offset = layout.offset(of: name) else {
      throw EngineError.missingWeight(name: names[value] ?? "value \(value.index)")
    }
    return Int64(offset)
  }

  func trains(_ value: ValueID) -> Int32 { names[value].map(trainable.contains) ?? false ? 1 : 0 }

  func parameters(_ node: Node, hasBias: Bool) throws -> zoo_parameters {
    zoo_parameters(
      weight: try offset(of: node.inputs[1], in: layout),
      bias: hasBias ? try offset(of: node.inputs[2], in: layout) : -1,
      weight_trains: trains(node.inputs[1]), bias_trains: hasBias ? trains(node.inputs[2]) : 0)
  }

  /// At every pixel of a picture it is a 1×1 convolution.
  private func addLinear(_ node: Node, _ x: Int32, _ y: Int32, hasBias: Bool) throws {
    let parameters = try parameters(node, hasBias: hasBias)
    let shape = shapes[node.inputs[0].index]
    guard shape.count == 4 else { return try check(zoo_trainer_add_linear(handle, x, y, parameters), node.name) }
    let weight = shapes[node.inputs[1].index] + [1, 1]
    var window = try Convolution().window(input: shape, weight: weight, node: node.name)
    try check(zoo_trainer_add_convolution(handle, x, y, parameters, 1, &window), node.name)
  }

  private func addConvolution(_ convolution: Convolution, _ node: Node, _ x: Int32, _ y: Int32) throws {
    var window = try convolution.window(
      input: shapes[node.inputs[0].index], weight: shapes[node.inputs[1].index], node: node.name)
    let parameters = try parameters(node, hasBias: convolution.hasBias)
    try check(
      zoo_trainer_add_convolution(handle, x, y, parameters, Int64(convolution.groups), &window), node.name)
  }

  private func addPooling(_ pooling: Pooling, _ kind: zoo_pooling_kind, _ node: Node, _ x: Int32, _ y: Int32) throws {
    var window = try pooling.window(input: shapes[node.inputs[0].index], node: node.name)
    if kind == ZOO_AVERAGE_WITH_PADDING, window.exceeds(pooling.padding) {
      throw EngineError.unsupported(
        node: node.name, problem: "training has no average pooling that counts padding over a partial window")
    }
    try check(zoo_trainer_add_pooling(handle, x, y, kind, &window), node.name)
  }

  private func addBatchNormalization(_ node: Node, _ x: Int32, _ y: Int32, _ epsilon: Float, _ momentum: Float) throws {
    let usesBatch = options.batchStatistics?.contains(node.name) ?? (trains(node.inputs[1]) != 0)
    try check(
      zoo_trainer_add_batch_normalization(
        handle, x, y, try parameters(node, hasBias: true), try offset(of: node.inputs[3], in: buffers),
        try offset(of: node.inputs[4], in: buffers), epsilon, momentum, usesBatch ? 1 : 0,
        rectified[node.output] == nil ? 0 : 1), node.name)
  }
}

extension Graph {
  /// BatchNorms whose output goes into a ReLU and nowhere else: both are one kernel, with one output to keep.
  fileprivate func rectifiedNormalizations() -> [ValueID: ValueID] {
    var uses: [ValueID: Int] = [:]
    for value in nodes.flatMap(\.inputs) + outputs { uses[value, default: 0] += 1 }
    let normalized = Set(
      nodes.compactMap { node in
        if case .batchNormalization = node.operation { node.output } else { nil }
      })
    var rectified: [ValueID: ValueID] = [:]
    for node in nodes {
      guard case .activation(.relu) = node.operation, normalized.contains(node.inputs[0]), uses[node.inputs[0]] == 1
      else { continue }
      rectified[node.inputs[0]] = node.output
    }
    return rectified
  }
}

/// Memory for the values of one network's training programs.
final class TrainingArena {
  let handle: OpaquePointer

  /// - Throws: ``EngineError``.
  init() throws {
    guard let handle = zoo_arena_create() else { throw EngineError.kernel(node: "start", problem: "no memory") }
    self.handle = handle
  }

  deinit { zoo_arena_destroy(handle) }
}
