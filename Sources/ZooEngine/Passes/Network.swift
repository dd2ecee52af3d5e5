import ZooCheckpoint
import ZooGraph

/// A graph together with the values of its parameters: what passes rewrite.
public struct Network: Sendable {
  public var graph: Graph
  public var weights: Weights

  /// - Throws: ``EngineError`` where a parameter is missing or has another shape.
  public init(graph: Graph, weights: Weights) throws {
    for parameter in graph.parameters {
      guard let tensor = weights[parameter.name] else { throw EngineError.missingWeight(name: parameter.name) }
      guard tensor.shape == parameter.shape else {
        throw EngineError.weightShape(name: parameter.name, expected: parameter.shape, found: tensor.shape)
      }
    }
    self.graph = graph
    self.weights = weights
  }

  /// Nodes that read each value.
  var consumers: [ValueID: [Int]] {
    var consumers: [ValueID: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for value in node.inputs { consumers[value, default: []].append(index) }
    }
    return consumers
  }

  /// The node that makes each value.
  var producers: [ValueID: Int] {
    Dictionary(uniqueKeysWithValues: graph.nodes.enumerated().map { ($1.output, $0) })
  }

  func values(of value: ValueID, in parameters: [ValueID: Parameter]) throws -> [Float] {
    guard let parameter = parameters[value], let tensor = weights[parameter.name] else {
      throw EngineError.missingWeight(name: "value \(value.index)")
    }
    return try tensor.values()
  }

  /// Adds a parameter that the state dict doesn't have, such as a folded bias.
  mutating func addParameter(_ name: String, shape: [Int], values: [Float]) -> ValueID {
    let value = graph.makeValue()
    // Nodes of an ONNX graph may share a name.
    var name = name
    while weights[name] != nil { name += " \(weights.count)" }
    graph.parameters.append(Parameter(name: name, shape: shape, isBuffer: false, value: value))
    weights[name] = FloatTensor(shape: shape, values: values)
    return value
  }

  /// Lets every reader of `old` read `new` instead.
  mutating func replace(_ old: ValueID, with new: ValueID) {
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0 == old ? new : $0 }
    }
    graph.outputs = graph.outputs.map { $0 == old ? new : $0 }
  }
}
