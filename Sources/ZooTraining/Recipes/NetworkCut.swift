import ZooGraph

/// A network divided where training ends on its way back: a frozen part whose outputs are computed once, and the part
/// that learns from them.
public struct NetworkCut: Sendable {
  /// From the picture to the features; has no nodes where everything learns.
  public let frozen: Graph
  /// From the features to the logits.
  public let trainable: Graph
  /// The first stage that learns.
  public let stage: Int

  /// Names of the last layer's parameters.
  public let headWeight: String
  public let headBias: String?
  /// Columns of the last layer's weight.
  public let headInputs: Int

  /// - Parameter unfrozen: stages that learn besides the head, counted from the last.
  /// - Throws: ``TrainingError``.
  public init(_ graph: Graph, unfrozen: Int, model: String) throws(TrainingError) {
    let parameters = graph.parametersByValue
    guard graph.stages.count > 1, let last = graph.nodes.last, case .linear = last.operation, last.inputs.count > 1,
      let weight = parameters[last.inputs[1]], weight.shape.count == 2
    else { throw .noHead(model: model) }
    guard (0..<graph.stages.count).contains(unfrozen) else {
      throw .tooManyStages(asked: unfrozen, stages: graph.stages.dropLast())
    }
    headWeight = weight.name
    headBias = last.inputs.count > 2 ? parameters[last.inputs[2]]?.name : nil
    headInputs = weight.shape[1]
    stage = graph.stages.count - 1 - unfrozen

    let first = stage
    let frozenNodes = graph.nodes.filter { $0.stage < first }
    let trainableNodes = graph.nodes.filter { $0.stage >= first }
    let made = Set(frozenNodes.map(\.output) + [graph.input])
    let crossing = Set(trainableNodes.flatMap(\.inputs)).intersection(made)
    guard crossing.count == 1, let features = crossing.first else {
      throw .noCut(model: model, stage: graph.stages[stage])
    }
    var frozen = Self.part(of: graph, frozenNodes)
    frozen.outputs = [features]
    var trainable = Self.part(of: graph, trainableNodes)
    trainable.input = features
    self.frozen = frozen
    self.trainable = trainable
  }

  private static func part(of graph: Graph, _ nodes: [Node]) -> Graph {
    var part = graph
    part.nodes = nodes
    let used = Set(nodes.flatMap(\.inputs))
    part.parameters = graph.parameters.filter { used.contains($0.value) }
    return part
  }
}
