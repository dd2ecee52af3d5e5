import ZooCheckpoint
import ZooFormats

/// A model's nodes with what older operator sets write in many steps as the one operator that it is.
struct NodeFusion {
  private(set) var nodes: [ONNXModel.Node]
  private let producers: [String: Int]
  private let readers: [String: [Int]]
  private let constants: [String: Tensor]
  private var removed: Set<Int> = []

  init(_ model: ONNXModel) {
    let nodes = model.graph.nodes
    self.nodes = nodes
    var producers: [String: Int] = [:]
    var readers: [String: [Int]] = [:]
    var constants = Dictionary(model.graph.initializers.tensors.map { ($0.key, $0.value) }) { first, _ in first }
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producers[output] = index }
      for input in Set(node.inputs) { readers[input, default: []].append(index) }
      if node.operatorName == "Constant", let name = node.outputs.first, case .tensor(let tensor)? = node.value {
        constants[name] = tensor
      }
    }
    self.producers = producers
    self.readers = readers
    self.constants = constants
    for index in nodes.indices {
      if nodes[index].operatorName == "Erf" { fuseGELU(index) }
      if nodes[index].operatorName == "Sqrt" { fuseLayerNormalization(index) }
    }
    self.nodes = self.nodes.enumerated().filter { !removed.contains($0.offset) }.map(\.element)
  }

  // MARK: steps

  /// The one node that reads a node's output, where it is of the given operator.
  private func reader(of index: Int, _ operatorName: String) -> Int? {
    guard let output = nodes[index].outputs.first, let all = readers[output], all.count == 1,
      nodes[all[0]].operatorName == operatorName
    else { return nil }
    return all[0]
  }

  private func producer(of name: String, _ operatorName: String) -> Int? {
    producers[name].flatMap { nodes[$0].operatorName == operatorName ? $0 : nil }
  }

  /// The other operand of a node of two.
  private func other(_ index: Int, than name: String) -> String? {
    let inputs = nodes[index].inputs
    guard inputs.count == 2 else { return nil }
    return inputs[0] == name ? inputs[1] : inputs[1] == name ? inputs[0] : nil
  }

  private func number(_ name: String) -> Float? {
    guard let tensor = constants[name], tensor.elementCount == 1 else { return nil }
    return try? tensor.floats().first
  }

  private func isNumber(_ name: String?, _ value: Float) -> Bool {
    guard let name, let found = number(name) else { return false }
    return abs(found - value) <= value.magnitude * 1e-3
  }

  /// The operand of a step with a number: x of x / 1.4142.
  private func operand(of index: Int, with value: Float) -> String? {
    let inputs = nodes[index].inputs
    guard inputs.count == 2 else { return nil }
    if isNumber(inputs[1], value) { return inputs[0] }
    return nodes[index].operatorName == "Mul" && isNumber(inputs[0], value) ? inputs[1] : nil
  }

  private mutating func replace(
    _ steps: [Int], by operatorName: String, _ inputs: [String], _ attributes: [String: ONNXModel.Attribute]
  ) {
    guard let last = steps.last else { return }
    nodes[last] = ONNXModel.Node(
      name: nodes[last].name, operatorName: operatorName, domain: "", inputs: inputs, outputs: nodes[last].outputs,
      attributes: attributes)
    removed.formUnion(steps.dropLast())
  }

  // MARK: patterns

  /// x · (1 + erf(x / √2)) / 2, the half before or after.
  private mutating func fuseGELU(_ erf: Int) {
    guard let scaled = nodes[erf].inputs.first, let inner = producers[scaled], readers[scaled]?.count == 1,
      let x = nodes[inner].operatorName == "Div"
        ? operand(of: inner, with: Float(2).squareRoot())
        : nodes[inner].operatorName == "Mul" ? operand(of: inner, with: Float(0.5).squareRoot()) : nil,
      let sum = reader(of: erf, "Add"), isNumber(other(sum, than: nodes[erf].outputs[0]), 1),
      let product = reader(of: sum, "Mul"), let factor = other(product, than: nodes[sum].outputs[0])
    else { return }
    if factor == x, let half = reader(of: product, "Mul"),
      isNumber(other(half, than: nodes[product].outputs[0]), 0.5)
    {
      replace([inner, erf, sum, product, half], by: "Gelu", [x], [:])
    } else if let half = producer(of: factor, "Mul"), operand(of: half, with: 0.5) == x,
      readers[factor]?.count == 1
    {
      replace([inner, erf, sum, half, product], by: "Gelu", [x], [:])
    }
  }

  /// (x - mean) / √(variance + epsilon) · weight + bias over the last axis.
  private mutating func fuseLayerNormalization(_ root: Int) {
    guard let total = nodes[root].inputs.first.flatMap({ producer(of: $0, "Add") }),
      let epsilonName = nodes[total].inputs.first(where: { number($0) != nil }), let epsilon = number(epsilonName),
      let varianceName = other(total, than: epsilonName), let variance = producer(of: varianceName, "ReduceMean"),
      isOverLastAxis(variance), let power = nodes[variance].inputs.first.flatMap({ producer(of: $0, "Pow") }),
      nodes[power].inputs.count == 2, isNumber(nodes[power].inputs[1], 2),
      let centred = producer(of: nodes[power].inputs[0], "Sub"), nodes[centred].inputs.count == 2,
      let mean = producer(of: nodes[centred].inputs[1], "ReduceMean"), isOverLastAxis(mean),
      nodes[mean].inputs.first == nodes[centred].inputs[0], let division = reader(of: root, "Div"),
      nodes[division].inputs == [nodes[centred].outputs[0], nodes[root].outputs[0]],
      readers[nodes[centred].outputs[0]].map({ Set($0) == [power, division] }) == true,
      let product = reader(of: division, "Mul"), let weight = other(product, than: nodes[division].outputs[0]),
      let sum = reader(of: product, "Add"), let bias = other(sum, than: nodes[product].outputs[0])
    else { return }
    replace(
      [mean, centred, power, variance, total, root, division, product, sum], by: "LayerNormalization",
      [nodes[centred].inputs[0], weight, bias], ["epsilon": .float(epsilon), "axis": .integer(-1)])
  }

  private func isOverLastAxis(_ index: Int) -> Bool {
    let node = nodes[index]
    guard node.integer("keepdims", 1) == 1 else { return false }
    if node.integers("axes") == [-1] { return true }
    return node.inputs.count == 2 && number(node.inputs[1]) == -1
  }
}
