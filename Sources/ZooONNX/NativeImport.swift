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
  var endsInSoftmax = false
  private var values: [String: ValueID] = [:]
  private var shapes: [ValueID: [Int]] = [:]
  /// Tensors that are known before the network runs.
  private var constants: [String: Tensor]
  /// Parameters by their name and whether they were transposed on their way.
  private var known: [ParameterKey: ValueID] = [:]
  /// Zero padding (top, left, bottom, right) that waits for the convolution after it.
  private var padding: [String: [Int]] = [:]

  private struct ParameterKey: Hashable {
    let name: String
    let isTransposed: Bool
  }

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
    guard inputShape.count == 4, inputShape.allSatisfy({ $0 <= 1 << 16 }), Self.isModest(inputShape),
      model.graph.outputs.count == 1, let input = model.graph.inputs.first, model.functions.isEmpty
    else { return false }
    graph.stages = ["network"]
    values[input.name] = graph.input
    shapes[graph.input] = inputShape
    for node in model.graph.nodes {
      guard node.domain.isEmpty, fold(node) || add(node) else { return false }
    }
    guard let output = values[model.graph.outputs[0].name], padding[model.graph.outputs[0].name] == nil else {
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
    case "Relu": return emit(.activation(.relu), [0], node)
    case "Sigmoid": return emit(.activation(.sigmoid), [0], node)
    case "Clip": return addClip(node)
    case "Mul": return addSwish(node)
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

  /// The flowing value of an input, and its shape; nil for a constant and for one that waits to be padded.
  func flowing(_ node: ONNXModel.Node, _ index: Int) -> (value: ValueID, shape: [Int])? {
    guard index < node.inputs.count, padding[node.inputs[index]] == nil, let value = values[node.inputs[index]],
      let shape = shapes[value]
    else { return nil }
    return (value, shape)
  }

  func shape(_ node: ONNXModel.Node, _ index: Int) -> [Int]? { flowing(node, index)?.shape }

  func constant(_ node: ONNXModel.Node, _ index: Int) -> Tensor? {
    index < node.inputs.count ? constants[node.inputs[index]] : nil
  }

  func has(_ node: ONNXModel.Node, _ index: Int) -> Bool { index < node.inputs.count && !node.inputs[index].isEmpty }

  /// The node that gives a value, and whether nothing else may read it.
  func producer(of value: ValueID) -> Int? { graph.nodes.lastIndex { $0.output == value } }

  mutating func setConstant(_ tensor: Tensor, _ name: String) { constants[name] = tensor }

  mutating func alias(_ name: String, to value: ValueID) { values[name] = value }

  mutating func setPadding(_ cells: [Int], of name: String, over value: ValueID) {
    values[name] = value
    padding[name] = cells
  }

  /// The value behind a name and the padding that waits for it.
  func padded(_ name: String) -> (value: ValueID, shape: [Int], padding: [Int])? {
    guard let value = values[name], let shape = shapes[value] else { return nil }
    return (value, shape, padding[name] ?? [0, 0, 0, 0])
  }

  mutating func parameter(
    _ name: String, _ tensor: Tensor, isBuffer: Bool = false, isTransposed: Bool = false
  ) -> ValueID {
    let key = ParameterKey(name: name, isTransposed: isTransposed)
    if let value = known[key] { return value }
    let value = graph.makeValue()
    known[key] = value
    // One matrix may be used both ways.
    let unique = parameters[name] == nil ? name : name + ".transposed"
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

  mutating func emit(_ operation: ZooGraph.Operation, _ operands: [ValueID], _ node: ONNXModel.Node) -> Bool {
    let sizes = operands.compactMap { shapes[$0] }
    guard let name = node.outputs.first, sizes.count == operands.count, sizes.allSatisfy(Self.isModest) else {
      return false
    }
    let made = Node(
      operation: operation, inputs: operands, output: graph.makeValue(),
      name: node.name.isEmpty ? name : node.name, stage: 0)
    guard let shape = try? made.outputShape(sizes), Self.isModest(shape) else { return false }
    graph.nodes.append(made)
    values[name] = made.output
    shapes[made.output] = shape
    return true
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
