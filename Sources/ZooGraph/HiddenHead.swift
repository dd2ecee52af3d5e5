/// Fully connected layers in the place of a classifier's last one: linear, ReLU and dropout for each hidden size, then
/// the layer that makes the classes.
///
/// Named as PyTorch names `fc = nn.Sequential(nn.Linear, nn.ReLU, nn.Dropout, …, nn.Linear)`: `fc.0`, `fc.3`, ….
public struct HiddenHead: Codable, Sendable, Equatable {
  /// Units of each hidden layer, the first one first.
  public var hidden: [Int]
  /// The share of hidden units that training drops.
  public var dropout: Float

  public init(hidden: [Int], dropout: Float) {
    self.hidden = hidden
    self.dropout = dropout
  }
}

extension Graph {
  /// The network with other layers in the place of its last one; nil where the last layer that makes the classes isn't
  /// linear.
  public func replacingHead(with head: HiddenHead) -> Graph? {
    guard let module = headModule, let place = nodes.lastIndex(where: { $0.name == module }),
      case .linear(let hasBias, let epilogue) = nodes[place].operation, epilogue.isEmpty,
      let old = parametersByValue[nodes[place].inputs[1]]
    else { return nil }
    var graph = self
    let removed = Set(nodes[place].inputs.dropFirst())
    graph.parameters.removeAll { removed.contains($0.value) }
    var layers: [Node] = []
    var x = nodes[place].inputs[0]
    func add(_ operation: Operation, _ operands: [ValueID], name: String, output: ValueID? = nil) {
      let output = output ?? graph.makeValue()
      layers.append(
        Node(operation: operation, inputs: operands, output: output, name: name, stage: nodes[place].stage))
      x = output
    }
    func linear(_ index: Int, from inputs: Int, to outputs: Int, hasBias: Bool, output: ValueID?) {
      let name = "\(module).\(index)"
      var operands = [x, graph.addParameter(name + ".weight", [outputs, inputs])]
      if hasBias { operands.append(graph.addParameter(name + ".bias", [outputs])) }
      add(.linear(hasBias: hasBias, epilogue: []), operands, name: name, output: output)
    }
    var width = old.shape[1]
    for (layer, units) in head.hidden.enumerated() {
      linear(layer * 3, from: width, to: units, hasBias: true, output: nil)
      add(.activation(.relu), [x], name: "\(module).\(layer * 3 + 1)")
      add(.dropout(probability: head.dropout), [x], name: "\(module).\(layer * 3 + 2)")
      width = units
    }
    linear(
      head.hidden.count * 3, from: width, to: old.shape[0], hasBias: hasBias, output: nodes[place].output)
    graph.nodes.replaceSubrange(place...place, with: layers)
    return graph
  }

  private mutating func addParameter(_ name: String, _ shape: [Int]) -> ValueID {
    let value = makeValue()
    parameters.append(Parameter(name: name, shape: shape, isBuffer: false, value: value))
    return value
  }
}
