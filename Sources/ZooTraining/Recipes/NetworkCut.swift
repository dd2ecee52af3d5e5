import ZooGraph

/// A network divided where training ends on its way back: a frozen part whose outputs are computed once, and the part
/// that learns from them.
public struct NetworkCut: Sendable {
  /// From the picture to the features; has no nodes where everything learns.
  public let frozen: Graph
  /// From the features to the logits.
  public let trainable: Graph
  /// The first stage of the part that learns.
  public let stage: Int

  /// Names of the last layer's parameters.
  public let headWeight: String
  public let headBias: String?
  /// Columns of the last layer's weight.
  public let headInputs: Int
  /// Whether nothing stands behind the last layer, so that its logits are linear in the features. SqueezeNet's is a
  /// convolution whose maps are rectified and averaged.
  public let endsInHead: Bool

  /// - Parameter first: the first stage that learns. Where more than one value enters it, the cut stands before an earlier
  ///   one, down to the input.
  /// - Throws: ``TrainingError/noHead(model:)``.
  public init(_ graph: Graph, firstStage first: Int, model: String) throws(TrainingError) {
    let parameters = graph.parametersByValue
    guard graph.stages.count > 1, let last = graph.nodes.last, last.operation.givesLogits,
      let head = graph.nodes.last(where: { $0.name == graph.headModule }), head.inputs.count > 1,
      let weight = parameters[head.inputs[1]], weight.shape.dropFirst(2).allSatisfy({ $0 == 1 })
    else { throw .noHead(model: model) }
    headWeight = weight.name
    headBias = head.inputs.count > 2 ? parameters[head.inputs[2]]?.name : nil
    headInputs = weight.shape[1]
    endsInHead = head.output == last.output

    let division = DividedGraph(graph, firstStage: first)
    (frozen, trainable, stage) = (division.frozen, division.trainable, division.stage)
  }
}

extension ZooGraph.Operation {
  /// Whether its output is [N, classes] where it ends a classifier.
  fileprivate var givesLogits: Bool {
    switch self {
    case .linear, .flatten: true
    default: false
    }
  }
}
