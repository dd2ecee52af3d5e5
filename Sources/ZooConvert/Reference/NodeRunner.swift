import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Runs nodes one at a time, so that every value between them can be seen: nothing is fused or folded.
struct NodeRunner {
  let weights: Weights
  private let parameters: [ValueID: Parameter]

  init(graph: Graph, weights: Weights) {
    self.weights = weights
    parameters = graph.parametersByValue
  }

  /// Whether every parameter that the node reads is there.
  func hasParameters(of node: Node) -> Bool {
    node.inputs.allSatisfy { value in parameters[value].map { weights[$0.name] != nil } ?? true }
  }

  func parameter(_ value: ValueID) -> Parameter? { parameters[value] }

  /// - Parameters:
  ///   - values: what flows into the node; parameters come from the weights.
  ///   - replacing: parameters' values by their place among the node's inputs, for trying others.
  /// - Throws: ``EngineError``, `GraphError`, `FileError`.
  func run(
    _ node: Node, _ values: (ValueID) -> FloatTensor?, replacing: [Int: FloatTensor] = [:]
  ) throws -> FloatTensor {
    var graph = Graph()
    var step = node
    var own: Weights = [:]
    var input: FloatTensor?
    for (place, value) in node.inputs.enumerated() {
      let known = parameters[value]
      guard let tensor = replacing[place] ?? known.flatMap({ weights[$0.name] }) ?? values(value) else {
        throw EngineError.missingWeight(name: known?.name ?? "value \(value.index) of \(node.name)")
      }
      if known == nil, input == nil {
        input = tensor
        step.inputs[place] = graph.input
        continue
      }
      let name = known?.name ?? "value \(place)"
      let id = graph.makeValue()
      graph.parameters.append(Parameter(name: name, shape: tensor.shape, isBuffer: false, value: id))
      own[name] = tensor
      step.inputs[place] = id
    }
    guard let input else { throw EngineError.unsupported(node: node.name, problem: "takes no value") }
    step.output = graph.makeValue()
    step.stage = 0
    graph.nodes = [step]
    graph.outputs = [step.output]
    graph.stages = ["step"]
    return try run(graph, own, input)
  }

  /// The heavy operations run on the engine's kernels, the light ones in the reference's plain loops.
  private func run(_ graph: Graph, _ weights: Weights, _ input: FloatTensor) throws -> FloatTensor {
    let plan: Plan?
    switch graph.nodes[0].operation {
    case .convolution, .linear, .batchNormalization:
      do {
        plan = try compile(graph, weights: weights, inputShape: input.shape, options: .init(precision: .exact))
      } catch EngineError.unsupported, EngineError.kernel {
        plan = nil
      }
    default: plan = nil
    }
    return try plan?.run(input)[0] ?? ReferenceBackend.run(graph, weights: weights, input: input)[0]
  }
}
