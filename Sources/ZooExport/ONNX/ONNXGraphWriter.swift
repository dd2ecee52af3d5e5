import ZooCheckpoint
import ZooGraph

/// Writes a network down as ONNX nodes of operator set 17. Weights stay named as in the state dict.
struct ONNXGraphWriter {
  static let operatorSet = 17

  private(set) var nodes: [ProtobufWriter] = []
  /// Tensors beside the state dict's: shapes, bounds, the network's own constants.
  private(set) var constants: [ONNXInitializer] = []
  private let graph: Graph
  let shapes: [[Int]]
  private var names: [ValueID: String] = [:]
  private var taken: Set<String>

  /// - Parameters:
  ///   - input: [1, 3, height, width].
  ///   - stored: name and dtype of the initializer behind each parameter.
  ///   - reserved: names of all initializers, read or not.
  /// - Throws: `GraphError` where the network can't take the input, `TensorError`.
  init(_ graph: Graph, input: [Int], stored: [String: (name: String, dtype: DType)], reserved: some Sequence<String>)
    throws
  {
    self.graph = graph
    shapes = try graph.inferShapes(input: input)
    taken = Set(reserved).union(["input", "logits"])
    names[graph.input] = "input"
    let used = Set(graph.nodes.flatMap(\.inputs))
    var converted: [String: String] = [:]
    for parameter in graph.parameters where used.contains(parameter.value) {
      guard let (name, dtype) = stored[parameter.name] else { continue }
      if dtype == .float32 {
        names[parameter.value] = name
      } else if let known = converted[name] {
        names[parameter.value] = known
      } else {
        // The network computes in float32, whatever its weights are kept in.
        let result = unique(name + ".float32")
        emit("Cast", [name], to: result) { $0.attribute("to", 1) }
        converted[name] = result
        names[parameter.value] = result
      }
    }
    for node in graph.nodes { try add(node) }
  }

  private mutating func unique(_ wanted: String) -> String {
    var (name, count) = (wanted, 1)
    while !taken.insert(name).inserted {
      count += 1
      name = "\(wanted)_\(count)"
    }
    return name
  }

  private func name(_ value: ValueID) -> String { names[value] ?? "" }

  // MARK: nodes

  mutating func emit(
    _ operatorName: String, _ inputs: [String], to output: String,
    _ attributes: (inout ProtobufWriter) -> Void = { _ in }
  ) {
    var node = ProtobufWriter()
    for input in inputs { node.string(1, input) }
    node.string(2, output)
    node.string(3, output)
    node.string(4, operatorName)
    attributes(&node)
    nodes.append(node)
  }

  /// A node between others, under a name of its own.
  mutating func step(
    _ operatorName: String, _ inputs: [String], _ name: String,
    _ attributes: (inout ProtobufWriter) -> Void = { _ in }
  ) -> String {
    let output = unique(name + "." + operatorName.lowercased())
    emit(operatorName, inputs, to: output, attributes)
    return output
  }

  mutating func constant<T: BitwiseCopyable>(
    _ wanted: String, _ dtype: DType, _ shape: [Int], _ values: [T]
  ) throws -> String {
    let name = unique(wanted)
    let tensor = try Tensor(dtype: dtype, shape: shape, storage: MemoryStorage(copying: values))
    constants.append(ONNXInitializer(name: name, tensor: tensor, dtype: dtype))
    return name
  }

  private mutating func add(_ node: Node) throws {
    let inputs = node.inputs.map(name)
    if case .dropout = node.operation {
      names[node.output] = inputs[0]
      // An output needs a node of its own.
      if graph.outputs.contains(node.output) { emit("Identity", inputs, to: output(of: node)) }
      return
    }
    if try addWindow(node, inputs) || addElementwise(node, inputs) || addTokens(node, inputs) { return }
    let input = shapes[node.inputs[0].index]
    switch node.operation {
    case .batchNormalization(let epsilon, let momentum):
      emit("BatchNormalization", inputs, to: output(of: node)) {
        $0.attribute("epsilon", epsilon)
        $0.attribute("momentum", 1 - momentum)
      }
    case .linear:
      guard input.count == 4 else {
        return emit("Gemm", inputs, to: output(of: node)) { $0.attribute("transB", 1) }
      }
      // Each pixel by itself: a convolution of one pixel.
      let axes = try constant(node.name + ".axes", .int64, [2], [Int64(2), 3])
      let kernel = step("Unsqueeze", [inputs[1], axes], node.name)
      emit("Conv", [inputs[0], kernel] + inputs.dropFirst(2), to: output(of: node)) {
        $0.attribute("kernel_shape", [1, 1])
      }
    case .layerNormalization(let axis, let epsilon):
      let last = input.count - 1
      var x = inputs[0]
      let order = (0...last).filter { $0 != axis } + [axis]
      if axis != last { x = step("Transpose", [x], node.name) { $0.attribute("perm", order) } }
      let target = axis == last ? output(of: node) : unique(node.name + ".normal")
      emit("LayerNormalization", [x] + inputs[1...], to: target) {
        $0.attribute("axis", -1)
        $0.attribute("epsilon", epsilon)
      }
      if axis != last {
        let back = (0...last).map { place in order.firstIndex(of: place) ?? place }
        emit("Transpose", [target], to: output(of: node)) { $0.attribute("perm", back) }
      }
    case .resize: try addResize(node, inputs)
    case .concatenate(let axis): emit("Concat", inputs, to: output(of: node)) { $0.attribute("axis", axis) }
    case .flatten: emit("Flatten", inputs, to: output(of: node)) { $0.attribute("axis", 1) }
    case .softmax: emit("Softmax", inputs, to: output(of: node)) { $0.attribute("axis", -1) }
    default: throw ExportError.operation(node: node.name, target: .onnx)
    }
  }

  /// Names the node's output; the network's own is `logits`.
  mutating func output(of node: Node) -> String {
    let name = graph.outputs.first == node.output ? "logits" : unique(node.name)
    names[node.output] = name
    return name
  }

  private mutating func addElementwise(_ node: Node, _ inputs: [String]) throws -> Bool {
    switch node.operation {
    case .activation(.relu): emit("Relu", inputs, to: output(of: node))
    case .activation(.relu6):
      let bounds = [
        try constant(node.name + ".least", .float32, [], [Float(0)]),
        try constant(node.name + ".most", .float32, [], [Float(6)]),
      ]
      emit("Clip", inputs + bounds, to: output(of: node))
    case .activation(.tanh): emit("Tanh", inputs, to: output(of: node))
    case .activation(.sigmoid): emit("Sigmoid", inputs, to: output(of: node))
    case .activation(.silu):
      let gate = step("Sigmoid", inputs, node.name)
      emit("Mul", [inputs[0], gate], to: output(of: node))
    case .activation(.gelu):
      // x · (1 + erf(x / √2)) / 2: Gelu itself came with operator set 20.
      let root = try constant(node.name + ".root", .float32, [], [Float(2).squareRoot()])
      let one = try constant(node.name + ".one", .float32, [], [Float(1)])
      let half = try constant(node.name + ".half", .float32, [], [Float(0.5)])
      let error = step("Erf", [step("Div", [inputs[0], root], node.name)], node.name)
      let product = step("Mul", [inputs[0], step("Add", [error, one], node.name)], node.name)
      emit("Mul", [product, half], to: output(of: node))
    case .activation(.hardSigmoid):
      emit("HardSigmoid", inputs, to: output(of: node)) {
        $0.attribute("alpha", Float(1) / 6)
        $0.attribute("beta", Float(0.5))
      }
    case .activation(.hardSwish): emit("HardSwish", inputs, to: output(of: node))
    case .gate: emit("Mul", inputs, to: output(of: node))
    case .gatherChannels(let channels):
      let places = try constant(node.name + ".channels", .int64, [channels.count], channels.map(Int64.init))
      let joined = inputs.count == 1 ? inputs[0] : step("Concat", inputs, node.name) { $0.attribute("axis", 1) }
      emit("Gather", [joined, places], to: output(of: node)) { $0.attribute("axis", 1) }
    case .channelScale:
      var scale = inputs[1]
      if shapes[node.inputs[1].index].count == 1, shapes[node.inputs[0].index].count == 4 {
        let axes = try constant(node.name + ".axes", .int64, [2], [Int64(1), 2])
        scale = step("Unsqueeze", [scale, axes], node.name)
      }
      emit("Mul", [inputs[0], scale], to: output(of: node))
    case .channelAffine(let scale, let shift):
      let shape = [scale.count] + shapes[node.inputs[0].index].dropFirst(2).map { _ in 1 }
      let factor = try constant(node.name + ".scale", .float32, shape, scale)
      let summand = try constant(node.name + ".shift", .float32, shape, shift)
      emit("Add", [step("Mul", [inputs[0], factor], node.name), summand], to: output(of: node))
    case .add: emit("Add", inputs, to: output(of: node))
    default: return false
    }
    return true
  }

  // MARK: windows

  private mutating func addWindow(_ node: Node, _ inputs: [String]) throws -> Bool {
    switch node.operation {
    case .convolution(let convolution):
      let kernel = Array(shapes[node.inputs[1].index][2...])
      emit("Conv", inputs, to: output(of: node)) {
        $0.attribute("kernel_shape", kernel)
        $0.attribute("strides", convolution.stride)
        $0.attribute("dilations", convolution.dilation)
        $0.attribute("group", convolution.groups)
        $0.padding(convolution.padding)
      }
    case .maxPool(let pooling): emit("MaxPool", inputs, to: output(of: node)) { $0.window(pooling) }
    case .averagePool(let pooling):
      emit("AveragePool", inputs, to: output(of: node)) {
        $0.window(pooling)
        $0.attribute("count_include_pad", pooling.countIncludePad ? 1 : 0)
      }
    case .adaptiveAveragePool(let height, let width):
      try addAdaptivePool(node, inputs[0], to: [height, width])
    default: return false
    }
    return true
  }

  /// The batch and the channels are the picture's own, height and width the other's.
  private mutating func addResize(_ node: Node, _ inputs: [String]) throws {
    var parts: [String] = []
    for (value, range) in zip(inputs, [0...1, 2...3]) {
      let start = try constant(node.name + ".start", .int64, [1], [Int64(range.lowerBound)])
      let end = try constant(node.name + ".end", .int64, [1], [Int64(range.upperBound + 1)])
      parts.append(step("Slice", [step("Shape", [value], node.name), start, end], node.name))
    }
    let size = step("Concat", parts, node.name) { $0.attribute("axis", 0) }
    emit("Resize", [inputs[0], "", "", size], to: output(of: node)) {
      $0.attribute("mode", "linear")
      $0.attribute("coordinate_transformation_mode", "half_pixel")
    }
  }

  private mutating func addAdaptivePool(_ node: Node, _ x: String, to size: [Int]) throws {
    let input = Array(shapes[node.inputs[0].index][2...])
    if size == [1, 1] { return emit("GlobalAveragePool", [x], to: output(of: node)) }
    if size == input { return emit("Identity", [x], to: output(of: node)) }
    if zip(input, size).allSatisfy({ $0 % $1 == 0 }) {
      let window = zip(input, size).map { $0 / $1 }
      return emit("AveragePool", [x], to: output(of: node)) { $0.window(Pooling(kernel: window, stride: window)) }
    }
    // Windows of different sizes: a matrix of means from the left for the rows, one from the right for the columns.
    let rows = try constant(node.name + ".rows", .float32, [size[0], input[0]], Self.means(input[0], to: size[0]))
    let columns = try constant(
      node.name + ".columns", .float32, [input[1], size[1]],
      Self.transposed(Self.means(input[1], to: size[1]), rows: size[1]))
    emit("MatMul", [step("MatMul", [rows, x], node.name), columns], to: output(of: node))
  }

  /// [output, input]: each row takes the mean of its window, from floor(i · input / output) to ceil((i + 1) · input /
  /// output), as PyTorch's adaptive pooling has them.
  private static func means(_ input: Int, to output: Int) -> [Float] {
    var matrix = [Float](repeating: 0, count: input * output)
    for row in 0..<output {
      let (start, end) = (row * input / output, ((row + 1) * input + output - 1) / output)
      for column in start..<end { matrix[row * input + column] = 1 / Float(end - start) }
    }
    return matrix
  }

  private static func transposed(_ matrix: [Float], rows: Int) -> [Float] {
    let columns = matrix.count / rows
    return (0..<matrix.count).map { matrix[$0 % rows * columns + $0 / rows] }
  }
}

/// AttributeProto and its kin; numbers are those of onnx.proto.
extension ProtobufWriter {
  mutating func attribute(_ name: String, _ value: Int) {
    message(5) {
      $0.string(1, name); $0.integer(3, value); $0.integer(20, 2)
    }
  }

  mutating func attribute(_ name: String, _ value: Float) {
    message(5) {
      $0.string(1, name); $0.float(2, value); $0.integer(20, 1)
    }
  }

  mutating func attribute(_ name: String, _ value: String) {
    message(5) {
      $0.string(1, name); $0.string(4, value); $0.integer(20, 3)
    }
  }

  mutating func attribute(_ name: String, _ values: [Int]) {
    message(5) { entry in
      entry.string(1, name)
      for value in values { entry.integer(8, value) }
      entry.integer(20, 7)
    }
  }

  fileprivate mutating func window(_ pooling: Pooling) {
    attribute("kernel_shape", pooling.kernel)
    attribute("strides", pooling.stride)
    attribute("ceil_mode", pooling.ceilMode ? 1 : 0)
    padding(pooling.padding)
  }

  fileprivate mutating func padding(_ padding: Padding) {
    switch padding {
    case .same: attribute("auto_pad", "SAME_UPPER")
    case .explicit(let top, let left, let bottom, let right): attribute("pads", [top, left, bottom, right])
    }
  }
}
