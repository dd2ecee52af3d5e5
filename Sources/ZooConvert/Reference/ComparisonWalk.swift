import ZooCheckpoint
import ZooGraph

/// Runs a model node by node and compares on the way.
struct ComparisonWalk {
  let graph: Graph
  let runner: NodeRunner
  let input: FloatTensor
  let tolerance: Double
  private let pairs: [Int: [Recording.Entry]]
  private(set) var layers: [ReferenceComparison.Layer] = []
  private(set) var cause: KnownCause?
  private var values: [ValueID: FloatTensor] = [:]
  /// Values that hold, as the reference has them.
  private var held: [ValueID: FloatTensor] = [:]
  private let readers: [ValueID: [Int]]

  init(graph: Graph, runner: NodeRunner, pairs: [RecordedLayers.Pair], input: FloatTensor, tolerance: Double) {
    self.graph = graph
    self.runner = runner
    self.pairs = Dictionary(grouping: pairs, by: \.node).mapValues { $0.map(\.entry) }
    self.input = input
    self.tolerance = tolerance
    var readers: [ValueID: [Int]] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for value in node.inputs { readers[value, default: []].append(index) }
    }
    self.readers = readers
  }

  /// - Throws: `EngineError`, `GraphError`, ``TensorError``, ``FileError``.
  mutating func run() throws {
    values[graph.input] = input
    held[graph.input] = input
    for (index, node) in graph.nodes.enumerated() {
      // Stages without weights, such as a head that is missing, are left out with all that follows them.
      guard runner.hasParameters(of: node),
        node.inputs.allSatisfy({ values[$0] != nil || runner.parameter($0) != nil })
      else { continue }
      let output = try runner.run(node) { values[$0] }
      values[node.output] = output
      for entry in pairs[index] ?? [] { try compare(entry, node, output) }
      for value in node.inputs where readers[value]?.last == index { values[value] = nil }
    }
  }

  private mutating func compare(_ entry: Recording.Entry, _ node: Node, _ output: FloatTensor) throws {
    let chain = try chain(after: node, output)
    var best: (value: ValueID, departure: Departure, shape: [Int], reference: FloatTensor)?
    for (value, tensor) in chain {
      for reference in try ReferenceLayout.fitting(entry.tensor, to: tensor.shape) {
        let departure = try Departure(tensor, from: reference)
        if departure.absolute < best?.departure.absolute ?? .infinity {
          best = (value, departure, tensor.shape, reference)
        }
      }
    }
    let departure = best?.departure ?? .shapes
    let holds = departure.relative <= tolerance
    let name = Recording.modulePath(entry.layer)
    layers.append(
      .init(
        name: entry.call == 0 ? name : "\(name) (run \(entry.call + 1))", module: node.name,
        shape: best?.shape ?? output.shape, referenceShape: entry.tensor.shape, departure: departure.relative,
        largestDifference: departure.absolute, holds: holds))
    if holds, let best {
      held[best.value] = best.reference
    } else if layers.filter({ !$0.holds }).count == 1 {
      cause = try search(node, chain.map(\.0), entry).cause()
    }
  }

  /// The node's output, and those of the steps that other frameworks count to it: BatchNorm folded in, an activation.
  private func chain(after node: Node, _ output: FloatTensor) throws -> [(ValueID, FloatTensor)] {
    var chain = [(node.output, output)]
    var isOpen = true
    while isOpen, chain.count < 4, let (last, tensor) = chain.last {
      isOpen = false
      guard let next = readers[last], next.count == 1 else { break }
      let node = graph.nodes[next[0]]
      switch node.operation {
      case .batchNormalization, .activation, .dropout, .softmax:
        guard runner.hasParameters(of: node) else { break }
        chain.append((node.output, try runner.run(node) { $0 == last ? tensor : nil }))
        isOpen = true
      default: break
      }
    }
    // A framework's classifier may end in the softmax that this one leaves to the loss.
    if graph.outputs.contains(chain[chain.count - 1].0), let (last, tensor) = chain.last, tensor.shape.count == 2 {
      let softmax = Node(
        operation: .softmax, inputs: [last], output: ComparisonWalk.probabilities, name: "softmax", stage: 0)
      chain.append((softmax.output, try runner.run(softmax) { $0 == last ? tensor : nil }))
    }
    return chain
  }

  /// No value of the graph: the softmax of its output.
  private static let probabilities = ValueID(index: -1)

  private func search(_ node: Node, _ targets: [ValueID], _ entry: Recording.Entry) -> CauseSearch {
    var producers: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() { producers[node.output] = index }
    var pending = targets
    var indices: Set<Int> = []
    var known: [ValueID: FloatTensor] = [:]
    while let value = pending.popLast() {
      if let tensor = held[value] {
        known[value] = tensor
      } else if let index = producers[value], indices.insert(index).inserted {
        pending += graph.nodes[index].inputs
      }
    }
    var segment = indices.sorted().map { graph.nodes[$0] }
    if targets.contains(Self.probabilities), let last = targets.dropLast().last {
      segment.append(
        Node(operation: .softmax, inputs: [last], output: Self.probabilities, name: "softmax", stage: 0))
    }
    return CauseSearch(
      segment: segment, known: known, targets: targets, reference: entry.tensor, runner: runner, tolerance: tolerance)
  }
}
