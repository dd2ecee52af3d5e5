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
  var graph = Graph()
  private(set) var parameters = StateDict()
  private(set) var inputShape: [Int] = []
  var endsInSoftmax = false
  private var values: [String: ValueID] = [:]
  private var shapes: [ValueID: [Int]] = [:]
  /// Tensors that are known before the network runs.
  private var constants: [String: Tensor]
  /// Parameters by their name and whether they were transposed on their way.
  private var known: [ParameterKey: ValueID] = [:]
  /// The initializers that constants were made from.
  private var origins: [String: String] = [:]
  /// Names that stand for something else than their value as it is.
  private var views: [String: View] = [:]

  /// What the next node must know of a value.
  enum View: Equatable {
    /// Zeros (top, left, bottom, right) that wait for the convolution after it.
    case padded([Int])
    /// [N, H, W, C]; the value itself stays [N, C, H, W].
    case channelsLast
    /// All elements in one row.
    case row
    /// One channel, times `scale`, plus `shift`.
    case channel(Int, scale: Float, shift: Float)
  }

  private struct ParameterKey: Hashable {
    let name: String
    let isTransposed: Bool
  }

  /// More steps than any network of the engine's operations has; what looks back at them must not take forever.
  static let mostNodes = 20_000
  /// Elements that one value may have: more is no network for pictures, and their product must not overflow.
  static let mostElements = 1 << 33

  init(_ model: ONNXModel, freeSize: Int) {
    self.model = model
    constants = Dictionary(model.graph.initializers.tensors.map { ($0.key, $0.value) }) { first, _ in first }
    if model.graph.inputs.count == 1, let shape = model.graph.inputs[0].shape, shape.count == 4 {
      inputShape =
        [shape[0] > 0 ? shape[0] : 1, shape[1] > 0 ? shape[1] : 3] + shape[2...].map { $0 > 0 ? $0 : freeSize }
    }
  }

  mutating func run() -> Bool {
    guard model.graph.nodes.count <= Self.mostNodes, inputShape.count == 4, inputShape.allSatisfy({ $0 <= 1 << 16 }),
      Self.isModest(inputShape),
      model.graph.outputs.count == 1, let input = model.graph.inputs.first, model.functions.isEmpty
    else { return false }
    graph.stages = ["network"]
    values[input.name] = graph.input
    shapes[graph.input] = inputShape
    for node in NodeFusion(model).nodes {
      guard node.domain.isEmpty, fold(node) || add(node) else { return false }
    }
    guard let output = values[model.graph.outputs[0].name], views[model.graph.outputs[0].name] == nil else {
      return false
    }
    graph.outputs = [output]
    return (try? graph.inferShapes(input: inputShape)) != nil
  }

  private mutating func add(_ node: ONNXModel.Node) -> Bool {
    endsInSoftmax = false
    switch node.operatorName {
    case "Conv": return addConvolution(node)
    case "BatchNormalization": return addBatchNormalization(node)
    case "Gemm": return addLinear(node)
    case "MatMul": return addProduct(node)
    case "Relu": return addActivation(.relu, node)
    case "Sigmoid": return addActivation(.sigmoid, node)
    case "HardSigmoid": return addHardSigmoid(node)
    case "HardSwish": return addActivation(.hardSwish, node)
    case "Gelu": return node.string("approximate", "none") == "none" && addActivation(.gelu, node)
    case "Clip": return addClip(node)
    case "Mul": return addMultiplication(node) || addGate(node)
    case "LayerNormalization": return addLayerNormalization(node)
    case "Concat": return addConcatenation(node)
    case "Transpose": return addTransposition(node)
    case "Gather": return addChannel(node) || addRestoredShape(node) || addGatheredChannels(node)
    case "Unsqueeze": return addUnsqueeze(node)
    case "MaxPool", "AveragePool": return addPool(node)
    case "GlobalAveragePool": return emit(.adaptiveAveragePool(height: 1, width: 1), [0], node)
    case "ReduceMean": return addMean(node)
    case "Add": return addSum(node)
    case "Flatten": return addFlatten(node)
    case "Reshape": return addReshape(node)
    case "Squeeze": return addSqueeze(node)
    case "Pad": return addPadding(node)
    case "Dropout", "Identity": return addIdentity(node)
    case "Softmax": return addSoftmax(node)
    default: return false
    }
  }

  // MARK: values

  /// The flowing value of an input, and its shape; nil for a constant and for one that is seen otherwise.
  func flowing(_ node: ONNXModel.Node, _ index: Int) -> (value: ValueID, shape: [Int])? {
    guard let seen = seen(node, index), seen.view == nil else { return nil }
    return (seen.value, seen.shape)
  }

  /// The value behind an input, its own shape, and how it is seen.
  func seen(_ node: ONNXModel.Node, _ index: Int) -> (value: ValueID, shape: [Int], view: View?)? {
    guard index < node.inputs.count, let value = values[node.inputs[index]], let shape = shapes[value] else {
      return nil
    }
    return (value, shape, views[node.inputs[index]])
  }

  func shape(_ node: ONNXModel.Node, _ index: Int) -> [Int]? { flowing(node, index)?.shape }

  func shape(of value: ValueID) -> [Int]? { shapes[value] }

  func constant(_ node: ONNXModel.Node, _ index: Int) -> Tensor? {
    index < node.inputs.count ? constants[node.inputs[index]] : nil
  }

  func has(_ node: ONNXModel.Node, _ index: Int) -> Bool { index < node.inputs.count && !node.inputs[index].isEmpty }

  /// The node that gives a value.
  func producer(of value: ValueID) -> Int? { graph.nodes.lastIndex { $0.output == value } }

  /// Whether some node reads the value already.
  func isRead(_ value: ValueID) -> Bool { graph.nodes.contains { $0.inputs.contains(value) } }

  /// - Parameter origin: the constant that it was made from, whose name it keeps.
  mutating func setConstant(_ tensor: Tensor, _ name: String, origin: String? = nil) {
    constants[name] = tensor
    if let origin { origins[name] = origins[origin] ?? origin }
  }

  /// The constant that a name was made from, and its name.
  func origin(_ name: String) -> (name: String, tensor: Tensor)? {
    let origin = origins[name] ?? name
    return constants[origin].map { (origin, $0) }
  }

  mutating func see(_ name: String, as view: View?, _ value: ValueID) {
    values[name] = value
    views[name] = view
  }

  mutating func parameter(
    _ name: String, _ tensor: Tensor, isBuffer: Bool = false, isTransposed: Bool = false
  ) -> ValueID {
    let name = origins[name] ?? name
    let key = ParameterKey(name: name, isTransposed: isTransposed)
    if let value = known[key] { return value }
    let value = graph.makeValue()
    known[key] = value
    // One matrix may be used both ways.
    var unique = name
    while parameters[unique] != nil { unique += ".transposed" }
    graph.parameters.append(Parameter(name: unique, shape: tensor.shape, isBuffer: isBuffer, value: value))
    parameters[unique] = tensor
    shapes[value] = tensor.shape
    return value
  }

  static func isModest(_ shape: [Int]) -> Bool {
    var count = 1
    for size in shape {
      let (product, overflowed) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflowed, product <= mostElements else { return false }
      count = product
    }
    return true
  }

  // MARK: nodes

  /// Adds a node over flowing inputs and given parameters.
  mutating func emit(
    _ operation: ZooGraph.Operation, _ inputs: [Int], _ node: ONNXModel.Node, parameters: [ValueID] = []
  ) -> Bool {
    var operands: [ValueID] = []
    for index in inputs {
      guard let input = flowing(node, index) else { return false }
      operands.append(input.value)
    }
    return emit(operation, operands + parameters, node)
  }

  /// - Parameter view: how the output is seen.
  mutating func emit(
    _ operation: ZooGraph.Operation, _ operands: [ValueID], _ node: ONNXModel.Node, as view: View? = nil
  ) -> Bool {
    let sizes = operands.compactMap { shapes[$0] }
    guard let name = node.outputs.first, sizes.count == operands.count, sizes.allSatisfy(Self.isModest) else {
      return false
    }
    let made = Node(
      operation: operation, inputs: operands, output: graph.makeValue(),
      name: node.name.isEmpty ? name : node.name, stage: 0)
    guard let shape = try? made.outputShape(sizes), Self.isModest(shape) else { return false }
    graph.nodes.append(made)
    see(name, as: view, made.output)
    shapes[made.output] = shape
    return true
  }

  /// Takes the last node away again, and its parameter.
  mutating func replace(_ index: Int, by operation: ZooGraph.Operation, inputs: [ValueID]) {
    let dropped = Set(graph.nodes[index].inputs).subtracting(inputs)
    graph.nodes[index].operation = operation
    graph.nodes[index].inputs = inputs
    let used = Set(graph.nodes.flatMap(\.inputs))
    for parameter in graph.parameters where dropped.contains(parameter.value) && !used.contains(parameter.value) {
      parameters[parameter.name] = nil
      known = known.filter { $0.value != parameter.value }
    }
    graph.parameters.removeAll { dropped.contains($0.value) && !used.contains($0.value) }
  }

  /// Gives the linear layer that a value comes from a bias, under the sum's own name; false where it can't have one.
  mutating func addBias(_ name: String, _ bias: Tensor, to value: ValueID, _ node: ONNXModel.Node) -> Bool {
    guard let index = producer(of: value), let output = node.outputs.first,
      !graph.nodes.contains(where: { $0.inputs.contains(value) }),
      case .linear(false, []) = graph.nodes[index].operation,
      let outputs = shapes[graph.nodes[index].inputs[1]]?.first, bias.elementCount == outputs,
      bias.shape == [outputs] || bias.shape == [1, outputs],
      let flat = try? TensorTransform.reshape([outputs]).apply(bias)
    else { return false }
    graph.nodes[index].operation = .linear(hasBias: true, epilogue: [])
    graph.nodes[index].inputs.append(parameter(name, flat))
    values[output] = value
    return true
  }
}
