import ZooCheckpoint
import ZooFormats
import ZooGraph

/// An ONNX model as a network of the operations that the fast engine knows.
public struct NativeNetwork: Sendable {
  public let graph: Graph
  /// Tensors by the graph's parameter names, laid out as it wants them.
  public let stateDict: StateDict
  /// [N, C, H, W] as the model declares it, N as 1 where it is free.
  public let inputShape: [Int]
  /// Whether the last step turns logits into probabilities.
  public let endsInSoftmax: Bool

  /// Returns nil where some node is none of the engine's operations, or its operands aren't constant.
  ///
  /// - Parameter freeSize: height and width of the picture where the model leaves them free.
  public init?(_ model: ONNXModel, freeSize: Int = 224) {
    var importer = NativeImporter(model, freeSize: freeSize)
    guard importer.run() else { return nil }
    graph = importer.graph
    stateDict = importer.parameters
    inputShape = importer.inputShape
    endsInSoftmax = importer.endsInSoftmax
  }
}

/// Walks the nodes and writes the graph; gives up at the first that doesn't fit.
struct NativeImporter {
  let model: ONNXModel
  private(set) var graph = Graph()
  private(set) var parameters = StateDict()
  private(set) var inputShape: [Int] = []
  private(set) var endsInSoftmax = false
  private var values: [String: ValueID] = [:]
  private var shapes: [ValueID: [Int]] = [:]
  /// Tensors that are known before the network runs.
  private var constants: [String: Tensor]

  init(_ model: ONNXModel, freeSize: Int) {
    self.model = model
    constants = Dictionary(model.graph.initializers.tensors.map { ($0.key, $0.value) }) { first, _ in first }
    if model.graph.inputs.count == 1, let shape = model.graph.inputs[0].shape, shape.count == 4 {
      inputShape =
        [shape[0] > 0 ? shape[0] : 1, shape[1] > 0 ? shape[1] : 3] + shape[2...].map { $0 > 0 ? $0 : freeSize }
    }
  }

  mutating func run() -> Bool {
    guard inputShape.count == 4, inputShape.allSatisfy({ $0 <= 1 << 16 }), model.graph.outputs.count == 1,
      let input = model.graph.inputs.first,
      model.functions.isEmpty
    else { return false }
    graph.stages = ["network"]
    values[input.name] = graph.input
    shapes[graph.input] = inputShape
    for node in model.graph.nodes {
      guard node.domain.isEmpty, add(node) else { return false }
    }
    guard let output = values[model.graph.outputs[0].name] else { return false }
    graph.outputs = [output]
    return (try? graph.inferShapes(input: inputShape)) != nil
  }

  private mutating func add(_ node: ONNXModel.Node) -> Bool {
    endsInSoftmax = false
    switch node.operatorName {
    case "Conv": return addConvolution(node)
    case "BatchNormalization": return addBatchNormalization(node)
    case "Gemm": return addLinear(node)
    case "Relu": return addActivation(.relu, node)
    case "Sigmoid": return addActivation(.sigmoid, node)
    case "Clip": return bounds(node) == [0, 6] && addActivation(.relu6, node)
    case "MaxPool", "AveragePool": return addPool(node)
    case "GlobalAveragePool": return emit(.adaptiveAveragePool(height: 1, width: 1), [0], node)
    case "ReduceMean": return addMean(node)
    case "Add": return addSum(node)
    case "Flatten": return node.integer("axis", 1) == 1 && emit(.flatten, [0], node)
    case "Reshape": return addReshape(node)
    case "Squeeze": return addSqueeze(node)
    case "Dropout", "Identity": return addIdentity(node)
    case "Softmax":
      guard let x = value(node, 0), shapes[x]?.count == 2, [1, -1].contains(node.integer("axis", -1)) else {
        return false
      }
      guard emit(.softmax, [0], node) else { return false }
      endsInSoftmax = true
      return true
    case "Constant": return addConstant(node)
    default: return false
    }
  }

  // MARK: values

  private func value(_ node: ONNXModel.Node, _ index: Int) -> ValueID? {
    index < node.inputs.count ? values[node.inputs[index]] : nil
  }

  private func constant(_ node: ONNXModel.Node, _ index: Int) -> Tensor? {
    index < node.inputs.count ? constants[node.inputs[index]] : nil
  }

  private mutating func parameter(_ name: String, _ tensor: Tensor, isBuffer: Bool = false) -> ValueID {
    if let known = graph.parameters.first(where: { $0.name == name && $0.shape == tensor.shape }) { return known.value }
    let value = graph.makeValue()
    graph.parameters.append(Parameter(name: name, shape: tensor.shape, isBuffer: isBuffer, value: value))
    parameters[name] = tensor
    shapes[value] = tensor.shape
    return value
  }

  /// Adds a node over flowing inputs and given parameters.
  private mutating func emit(
    _ operation: ZooGraph.Operation, _ flowing: [Int], _ node: ONNXModel.Node, parameters: [ValueID] = []
  ) -> Bool {
    var inputs: [ValueID] = []
    for index in flowing {
      guard let value = value(node, index) else { return false }
      inputs.append(value)
    }
    let known = (inputs + parameters).compactMap { shapes[$0] }
    guard let name = node.outputs.first, known.count == inputs.count + parameters.count,
      known.joined().allSatisfy({ (0...1 << 30).contains($0) })
    else { return false }
    let made = Node(
      operation: operation, inputs: inputs + parameters, output: graph.makeValue(),
      name: node.name.isEmpty ? name : node.name, stage: 0)
    guard let shape = try? made.outputShape(known) else { return false }
    graph.nodes.append(made)
    values[name] = made.output
    shapes[made.output] = shape
    return true
  }

  // MARK: operators

  private mutating func addConvolution(_ node: ONNXModel.Node) -> Bool {
    guard let weight = constant(node, 1), weight.shape.count == 4,
      let padding = node.padding(windows: 2), let x = value(node, 0), shapes[x]?.count == 4
    else { return false }
    let bias = node.inputs.count > 2 && !node.inputs[2].isEmpty ? constant(node, 2) : nil
    guard (bias != nil) == (node.inputs.count > 2 && !node.inputs[2].isEmpty) else { return false }
    var operands = [parameter(node.inputs[1], weight)]
    if let bias { operands.append(parameter(node.inputs[2], bias)) }
    let convolution = Convolution(
      stride: node.integers("strides") ?? [1, 1], padding: padding, dilation: node.integers("dilations") ?? [1, 1],
      groups: node.integer("group", 1), hasBias: bias != nil)
    guard isWindow(convolution.stride), isWindow(convolution.dilation), isWindow(Array(weight.shape[2...])),
      (1...65_536).contains(convolution.groups)
    else { return false }
    return emit(.convolution(convolution), [0], node, parameters: operands)
  }

  /// Two sizes that no arithmetic overflows with.
  private func isWindow(_ sizes: [Int]) -> Bool { sizes.count == 2 && sizes.allSatisfy { (1...4096).contains($0) } }

  private mutating func addBatchNormalization(_ node: ONNXModel.Node) -> Bool {
    let operands = (1..<5).compactMap { constant(node, $0) }
    guard operands.count == 4, node.integer("training_mode", 0) == 0 || node.outputs.count <= 3 else { return false }
    let values = operands.enumerated().map { index, tensor in
      parameter(node.inputs[index + 1], tensor, isBuffer: index > 1)
    }
    return emit(
      .batchNormalization(epsilon: node.float("epsilon", 1e-5), momentum: 1 - node.float("momentum", 0.9)), [0], node,
      parameters: values)
  }

  private mutating func addLinear(_ node: ONNXModel.Node) -> Bool {
    guard var weight = constant(node, 1), weight.shape.count == 2, node.float("alpha", 1) == 1,
      node.float("beta", 1) == 1, node.integer("transA", 0) == 0
    else { return false }
    if node.integer("transB", 0) == 0 {
      guard let turned = try? TensorTransform.transpose.apply(weight) else { return false }
      weight = turned
    }
    let bias = constant(node, 2)
    guard bias == nil || bias?.shape == [weight.shape[0]], bias != nil || node.inputs.count < 3 else { return false }
    var operands = [parameter(node.inputs[1], weight)]
    if let bias { operands.append(parameter(node.inputs[2], bias)) }
    return emit(.linear(hasBias: bias != nil, epilogue: []), [0], node, parameters: operands)
  }

  private mutating func addActivation(_ kind: Activation, _ node: ONNXModel.Node) -> Bool {
    emit(.activation(kind), [0], node)
  }

  private func bounds(_ node: ONNXModel.Node) -> [Float]? {
    if node.inputs.count == 1 { return [node.float("min", -.infinity), node.float("max", .infinity)] }
    let limits = (1...2).compactMap { constant(node, $0).flatMap { try? $0.floats().first } }
    return limits.count == 2 ? limits : nil
  }

  private mutating func addPool(_ node: ONNXModel.Node) -> Bool {
    guard let kernel = node.integers("kernel_shape"), kernel.count == 2, let padding = node.padding(windows: 2),
      (node.integers("dilations") ?? [1, 1]) == [1, 1], node.outputs.count == 1, node.integer("storage_order", 0) == 0
    else { return false }
    let pooling = Pooling(
      kernel: kernel, stride: node.integers("strides") ?? [1, 1], padding: padding,
      ceilMode: node.integer("ceil_mode", 0) == 1, countIncludePad: node.integer("count_include_pad", 0) == 1)
    guard isWindow(kernel), isWindow(pooling.stride) else { return false }
    if node.operatorName == "MaxPool" { return emit(.maxPool(pooling), [0], node) }
    // A window of one cell is how exporters write a pooling that does nothing.
    if kernel == [1, 1], pooling.stride == [1, 1] { return addIdentity(node) }
    return emit(.averagePool(pooling), [0], node)
  }

  /// A mean over both spatial axes; without `keepdims` it flattens too.
  private mutating func addMean(_ node: ONNXModel.Node) -> Bool {
    let axes = node.integers("axes") ?? constant(node, 1).flatMap(Self.integers)
    guard let x = value(node, 0), shapes[x]?.count == 4, let axes,
      Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3]
    else { return false }
    guard emit(.adaptiveAveragePool(height: 1, width: 1), [0], node) else { return false }
    guard node.integer("keepdims", 1) == 0, let pooled = values[node.outputs[0]] else { return true }
    return flatten(pooled, node)
  }

  private mutating func flatten(_ x: ValueID, _ node: ONNXModel.Node) -> Bool {
    guard let shape = shapes[x], let name = node.outputs.first else { return false }
    let output = graph.makeValue()
    graph.nodes.append(Node(operation: .flatten, inputs: [x], output: output, name: name + ".flatten", stage: 0))
    values[name] = output
    shapes[output] = [shape[0], shape.dropFirst().reduce(1, *)]
    return true
  }

  private mutating func addSum(_ node: ONNXModel.Node) -> Bool {
    guard let a = value(node, 0), let b = value(node, 1), shapes[a] == shapes[b] else { return false }
    return emit(.add, [0, 1], node)
  }

  /// Only what flattens all but the batch.
  private mutating func addReshape(_ node: ONNXModel.Node) -> Bool {
    guard let x = value(node, 0), let shape = shapes[x], let wanted = constant(node, 1).flatMap(Self.integers),
      wanted.count == 2, node.integer("allowzero", 0) == 0 || !wanted.contains(0)
    else { return false }
    let rest = shape.dropFirst().reduce(1, *)
    let keepsBatch = [0, shape[0], -1].contains(wanted[0]), keepsRest = wanted[1] == rest || wanted[1] == -1
    guard keepsBatch, keepsRest, wanted != [-1, -1] else { return false }
    return shape.count == 2 ? addIdentity(node) : flatten(x, node)
  }

  private mutating func addSqueeze(_ node: ONNXModel.Node) -> Bool {
    let axes = node.integers("axes") ?? constant(node, 1).flatMap(Self.integers)
    guard let x = value(node, 0), let shape = shapes[x], shape.count == 4, Array(shape[2...]) == [1, 1],
      let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3]
    else { return false }
    return flatten(x, node)
  }

  private mutating func addIdentity(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.outputs.first, let input = node.inputs.first else { return false }
    if let constant = constants[input] {
      constants[name] = constant
      return true
    }
    guard let x = values[input] else { return false }
    values[name] = x
    return true
  }

  private mutating func addConstant(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.outputs.first else { return false }
    switch node.attributes["value"] ?? node.attributes.values.first {
    case .tensor(let tensor): constants[name] = tensor
    case .float(let value):
      constants[name] = try? Tensor(dtype: .float32, shape: [], storage: MemoryStorage(copying: [value]))
    case .integer(let value):
      constants[name] = try? Tensor(dtype: .int64, shape: [], storage: MemoryStorage(copying: [value]))
    case .integers(let values):
      constants[name] = try? Tensor(dtype: .int64, shape: [values.count], storage: MemoryStorage(copying: values))
    default: return false
    }
    return true
  }

  private static func integers(_ tensor: Tensor) -> [Int]? {
    guard tensor.dtype == .int64, tensor.elementCount <= 64 else { return nil }
    return try? tensor.withContiguousBytes { bytes in
      (0..<tensor.elementCount).map { Int(bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
    }
  }
}
