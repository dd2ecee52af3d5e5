import ZooGraph

/// What every step of training knows of a network beforehand.
struct SequenceProgram {
  /// Where a parameter stands, and in which buffer.
  struct Place {
    let offset: Int
    let count: Int
    let trains: Bool
  }

  let graph: Graph
  let output: ValueID
  let outputColumns: Int
  /// Rows and columns of parameters; of other values only the columns mean something.
  let shapes: [[Int]]
  let maximumLength: Int?
  /// Parameters, and their transposes.
  private let places: [ValueID: Place]
  /// Transposes of parameters.
  private let turned: Set<ValueID>
  /// Values that are a decoder's.
  private let decoded: Set<ValueID>
  /// Values whose gradients lead to a trainable parameter.
  private let learning: Set<ValueID>
  /// For each value the last node that reads it.
  let lastReader: [ValueID: Int]

  /// - Throws: ``EngineError``, `GraphError`.
  init(_ graph: Graph, trainable: ParameterLayout, frozen: ParameterLayout, inputColumns: Int) throws {
    self.graph = graph
    let readsTokens = graph.nodes.contains { node in
      if case .sequence(.embedding) = node.operation { node.inputs[0] == graph.input } else { false }
    }
    shapes = try graph.inferShapes(input: readsTokens ? [1] : [1, inputColumns])
    guard let output = graph.outputs.first, shapes[output.index].count == 2 else {
      throw EngineError.unsupported(node: "output", problem: "training takes an output of rows")
    }
    self.output = output
    outputColumns = shapes[output.index][1]

    var places: [ValueID: Place] = [:]
    for parameter in graph.parameters {
      let count = parameter.shape.reduce(1, *)
      if let offset = trainable.offset(of: parameter.name) {
        places[parameter.value] = Place(offset: offset, count: count, trains: true)
      } else if let offset = frozen.offset(of: parameter.name) {
        places[parameter.value] = Place(offset: offset, count: count, trains: false)
      }
    }
    var (turned, learning) = (Set<ValueID>(), Set<ValueID>())
    var lastReader: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { lastReader[input] = index }
      if case .transpose = node.operation, let place = places[node.inputs[0]] {
        places[node.output] = place
        turned.insert(node.output)
        continue
      }
      if node.inputs.contains(where: { learning.contains($0) || places[$0]?.trains ?? false }) {
        learning.insert(node.output)
      }
    }
    (self.places, self.turned, self.learning) = (places, turned, learning)
    self.lastReader = lastReader
    decoded = graph.decodedValues
    maximumLength = graph.maximumSequenceLength
  }

  func isParameter(_ value: ValueID) -> Bool { places[value] != nil }
  func isTurned(_ value: ValueID) -> Bool { turned.contains(value) }
  func isDecoded(_ value: ValueID) -> Bool { decoded.contains(value) }
  func wantsGradient(_ value: ValueID) -> Bool { learning.contains(value) || places[value]?.trains ?? false }

  func place(_ value: ValueID, _ node: Node) throws(EngineError) -> Place {
    guard let place = places[value] else { throw .missingWeight(name: node.name) }
    return place
  }
}
