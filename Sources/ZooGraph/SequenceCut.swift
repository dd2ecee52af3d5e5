/// A network of sequences divided where training ends on its way back.
public struct SequenceCut: Sendable {
  /// From the tokens to one matrix, which nothing that learns has a part in; nil where something learns from the first
  /// layer on.
  public let frozen: Graph?
  /// From that matrix, or from the tokens, to the output. Frozen layers of a decoder stay in it.
  public let trainable: Graph
  /// Columns of the matrix.
  public let columns: Int

  /// - Parameter stage: the first stage that has something to learn.
  /// - Throws: ``GraphError``.
  public init(_ graph: Graph, stage: Int) throws(GraphError) {
    // Parameters, and what is made of them alone: transposes.
    var fixed = Set(graph.parameters.map(\.value))
    var made: Set<ValueID> = []
    for node in graph.nodes {
      let reads = node.inputs.filter { !fixed.contains($0) }
      if reads.isEmpty {
        fixed.insert(node.output)
      } else if node.stage < stage || node.isPlain, reads.allSatisfy({ $0 == graph.input || made.contains($0) }) {
        made.insert(node.output)
      }
    }
    // What a decoder reads is one matrix, the encoder's; the keys and values that each layer makes of it are many.
    let decoded = graph.decodedValues
    let readers = graph.nodes.reduce(into: [ValueID: [ValueID]]()) { readers, node in
      for input in node.inputs { readers[input, default: []].append(node.output) }
    }
    made = made.filter { value in readers[value].map { !$0.allSatisfy(decoded.contains) } ?? true }
    let trainable = graph.keeping { !made.contains($0) }
    let crossing = Set(trainable.nodes.flatMap(\.inputs)).intersection(made.union([graph.input]))
    guard stage > 0, crossing.count == 1, let value = crossing.first, value != graph.input else {
      (self.frozen, self.trainable, columns) = (nil, graph, 1)
      return
    }
    columns = try graph.inferShapes(input: [1])[value.index][1]
    var (before, after) = (graph.keeping { made.contains($0) }, trainable)
    before.outputs = [value]
    before.decoderInput = nil
    after.input = value
    (self.frozen, self.trainable) = (before, after)
  }
}

extension Graph {
  /// The nodes whose outputs are wanted, with the parameters that they read and what is made of those.
  fileprivate func keeping(_ isWanted: (ValueID) -> Bool) -> Graph {
    let parameters = Set(parameters.map(\.value))
    func isDerived(_ node: Node) -> Bool { node.inputs.allSatisfy(parameters.contains) }
    let read = Set(nodes.filter { !isDerived($0) && isWanted($0.output) }.flatMap(\.inputs))
    var graph = self
    graph.nodes = nodes.filter { isDerived($0) ? read.contains($0.output) : isWanted($0.output) }
    return graph.keepingUsedParameters()
  }
}

extension Node {
  /// Whether it has no parameters and does the same whether a network learns or not.
  fileprivate var isPlain: Bool {
    switch operation {
    case .sequence(.select), .sequence(.scale), .activation, .gatherChannels: true
    default: false
    }
  }
}
