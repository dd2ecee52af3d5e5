import ZooCheckpoint
import ZooGraph

/// Turns a graph of sequences into steps: linear layers that read the same rows become one product, activations and sums
/// go into the products before them, and matrices share memory where their lives don't overlap.
struct SequenceLowering {
  private let network: Network
  private let precision: SequencePrecision
  private let shapes: [[Int]]
  private let parameters: [ValueID: Parameter]
  private let consumers: [ValueID: [Int]]
  private let producers: [ValueID: Int]
  private var views: [ValueID: (view: SequenceView, rows: SequenceRows)] = [:]
  private var matrices: [SequenceMatrix] = []
  private var steps: [SequenceStep] = []
  /// Nodes that an earlier step does already.
  private var done: Set<Int> = []
  private var caches: [Int] = []

  init(_ network: Network, precision: SequencePrecision) throws {
    let network = network.removingIdentities()
    self.network = network
    self.precision = precision
    shapes = try network.graph.inferShapes(input: [1])
    parameters = network.graph.parametersByValue
    consumers = network.consumers
    producers = network.producers
  }

  /// What a plan is made of.
  struct Lowered {
    var steps: [SequenceStep]
    var matrices: [SequenceMatrix]
    var outputs: [SequenceView]
    var outputRows: [SequenceRows]
    /// Channels of the keys of each causal attention.
    var cacheColumns: [Int]
    /// The product that makes the first output, where that has a row for each token.
    var logitsStep: Int?
    var logits: SequenceView? { logitsStep.map { steps[$0].output } }
  }

  mutating func lower() throws -> Lowered {
    let graph = network.graph
    for (index, node) in graph.nodes.enumerated() where !done.contains(index) { try lower(node, at: index) }
    let outputs = try graph.outputs.map { try located($0, "output") }
    var lowered = Lowered(
      steps: steps, matrices: matrices, outputs: outputs.map(\.view), outputRows: outputs.map(\.rows),
      cacheColumns: caches)
    lowered.shareMemory()
    lowered.logitsStep = lowered.steps.lastIndex { step in
      guard case .product(_, _, nil) = step.kernel, case .tokens = step.rows else { return false }
      return step.output.matrix == lowered.outputs.first?.matrix
    }
    return lowered
  }

  private func located(_ value: ValueID, _ node: String) throws -> (view: SequenceView, rows: SequenceRows) {
    guard let found = views[value] else {
      throw EngineError.unsupported(node: node, problem: "reads value \(value.index), which no step makes")
    }
    return found
  }

  private mutating func makeMatrix(_ rows: SequenceRows, columns: Int) -> SequenceView {
    matrices.append(SequenceMatrix(rows: rows, columns: SequencePanels.paddedColumns(columns)))
    return SequenceView(matrix: matrices.count - 1, columns: columns)
  }

  private mutating func emit(
    _ kernel: SequenceStep.Kernel, _ node: Node, from input: ValueID, rows: SequenceRows? = nil
  ) throws {
    let source = try located(input, node.name)
    let rows = rows ?? source.rows
    let output = makeMatrix(rows, columns: shapes[node.output.index][1])
    steps.append(SequenceStep(name: node.name, kernel: kernel, input: source.view, output: output, rows: rows))
    views[node.output] = (output, rows)
  }

  private func tensor(_ value: ValueID, _ node: Node) throws -> FloatTensor {
    guard let parameter = parameters[value], let tensor = network.weights[parameter.name] else {
      throw EngineError.missingWeight(name: parameters[value]?.name ?? node.name)
    }
    return tensor
  }

  private mutating func lower(_ node: Node, at index: Int) throws {
    let x = node.inputs[0]
    switch node.operation {
    case .sequence(.embedding(let kind)): try lowerEmbedding(node, kind)
    case .linear: try lowerLinear(node, at: index)
    case .transpose:
      guard parameters[x] != nil else { throw node.notOfSequences }
    case .layerNormalization(1, let epsilon):
      let (weight, bias) = (try tensor(node.inputs[1], node).values(), try tensor(node.inputs[2], node).values())
      try emit(.normalization(weight: weight, bias: bias, epsilon: epsilon), node, from: x)
    case .sequence(.rootMeanSquareNormalization(let epsilon)):
      let weight = try tensor(node.inputs[1], node).values()
      try emit(.normalization(weight: weight, bias: nil, epsilon: epsilon), node, from: x)
    case .activation(let kind): try emit(.activation(kind), node, from: x)
    case .add: try emit(.add(located(node.inputs[1], node.name).view), node, from: x)
    case .sequence(.multiply): try emit(.multiply(located(node.inputs[1], node.name).view), node, from: x)
    case .sequence(.scale(let factor)): try emit(.scale(factor), node, from: x)
    case .gatherChannels(let channels):
      let source = try located(x, node.name)
      var view = source.view
      view.column += try node.firstChannel(of: channels)
      view.columns = channels.count
      views[node.output] = (view, source.rows)
    case .sequence(.select(let token)):
      try emit(.select(token), node, from: x, rows: .sequences(located(x, node.name).rows.side))
    case .sequence(.attention(let attention)): try lowerAttention(node, attention)
    default: throw node.notOfSequences
    }
  }

  private mutating func lowerEmbedding(_ node: Node, _ kind: EmbeddingIndex) throws {
    let side: SequenceSide = node.inputs[0] == network.graph.decoderInput ? .decoder : .input
    guard side == .decoder || node.inputs[0] == network.graph.input else {
      throw EngineError.unsupported(node: node.name, problem: "embeds something else than token ids")
    }
    let table = try tensor(node.inputs[1], node)
    let output = makeMatrix(.tokens(side), columns: table.shape[1])
    steps.append(
      SequenceStep(name: node.name, kernel: .embedding(table, kind), input: nil, output: output, rows: .tokens(side)))
    views[node.output] = (output, .tokens(side))
  }

  private mutating func lowerAttention(_ node: Node, _ attention: SequenceAttention) throws {
    let (keys, values) = (try located(node.inputs[1], node.name), try located(node.inputs[2], node.name))
    let bias = attention.positions == nil ? nil : try tensor(node.inputs[3], node).values()
    var cache: Int?
    if attention.isCausal {
      cache = caches.count
      caches.append(keys.view.columns)
    }
    try emit(
      .attention(attention, keys: keys.view, values: values.view, bias: bias, cache: cache), node,
      from: node.inputs[0])
  }
}

extension SequenceLowering {
  /// One product for all linear layers that read the same rows for an attention; else one with the activation and the sum
  /// that follow.
  private mutating func lowerLinear(_ node: Node, at index: Int) throws {
    let group = groupForAttention(node, at: index)
    guard group.count == 1 else { return try lowerTogether(group) }
    let panels = try SequencePanels([part(node)], precision: precision, node: node.name)
    let source = try located(node.inputs[0], node.name)
    var last = node
    var activation: Activation?
    if let next = soleConsumer(of: last), case .activation(let kind) = network.graph.nodes[next].operation {
      activation = kind
      last = network.graph.nodes[next]
      done.insert(next)
    }
    var residual: SequenceView?
    if let next = soleConsumer(of: last), case .add = network.graph.nodes[next].operation {
      let sum = network.graph.nodes[next]
      let other = sum.inputs[0] == last.output ? sum.inputs[1] : sum.inputs[0]
      if other != last.output, let known = views[other] {
        residual = known.view
        last = sum
        done.insert(next)
      }
    }
    let output = makeMatrix(source.rows, columns: shapes[node.output.index][1])
    steps.append(
      SequenceStep(
        name: node.name, kernel: .product(panels, activation, residual: residual), input: source.view, output: output,
        rows: source.rows))
    views[last.output] = (output, source.rows)
  }

  private mutating func lowerTogether(_ group: [Int]) throws {
    let nodes = group.map { network.graph.nodes[$0] }
    let panels = try SequencePanels(nodes.map(part), precision: precision, node: nodes[0].name)
    let source = try located(nodes[0].inputs[0], nodes[0].name)
    let output = makeMatrix(source.rows, columns: panels.outputs)
    steps.append(
      SequenceStep(
        name: nodes.map(\.name).joined(separator: " "), kernel: .product(panels, nil, residual: nil),
        input: source.view, output: output, rows: source.rows))
    var column = 0
    for (node, index) in zip(nodes, group) {
      let columns = shapes[node.output.index][1]
      views[node.output] = (SequenceView(matrix: output.matrix, column: column, columns: columns), source.rows)
      column += SequencePanels.paddedColumns(columns)
      done.insert(index)
    }
  }

  /// The linear layers that read what `node` reads, and whose outputs attentions alone read.
  private func groupForAttention(_ node: Node, at index: Int) -> [Int] {
    guard feedsAttention(node) else { return [index] }
    return (consumers[node.inputs[0]] ?? []).filter { other in
      let candidate = network.graph.nodes[other]
      guard other >= index, case .linear = candidate.operation, candidate.inputs[0] == node.inputs[0] else {
        return false
      }
      return feedsAttention(candidate)
    }
  }

  private func feedsAttention(_ node: Node) -> Bool {
    let readers = consumers[node.output] ?? []
    return !readers.isEmpty && !network.graph.outputs.contains(node.output)
      && readers.allSatisfy {
        if case .sequence(.attention) = network.graph.nodes[$0].operation { true } else { false }
      }
  }

  private func soleConsumer(of node: Node) -> Int? {
    guard let readers = consumers[node.output], readers.count == 1, !network.graph.outputs.contains(node.output) else {
      return nil
    }
    return readers[0]
  }

  private func part(_ node: Node) throws -> SequencePanels.Part {
    guard case .linear(let hasBias, let epilogue) = node.operation, epilogue.isEmpty else { throw node.notOfSequences }
    var value = node.inputs[1]
    var isTransposed = false
    if let maker = producers[value], case .transpose = network.graph.nodes[maker].operation {
      value = network.graph.nodes[maker].inputs[0]
      isTransposed = true
    }
    return SequencePanels.Part(
      weight: try tensor(value, node), isTransposed: isTransposed,
      bias: hasBias ? try tensor(node.inputs[2], node) : nil)
  }
}

extension SequenceLowering.Lowered {
  /// Lets matrices that don't live at the same time be one. What a decoder reads of the input's side stays, and so do
  /// outputs.
  mutating func shareMemory() {
    var lastRead = [Int](repeating: -1, count: matrices.count)
    for (index, step) in steps.enumerated() { for matrix in step.reads { lastRead[matrix] = index } }
    for output in outputs { lastRead[output.matrix] = steps.count }
    for step in steps where step.rows.side == .decoder {
      for matrix in step.reads where matrices[matrix].rows.side == .input { lastRead[matrix] = steps.count }
    }
    var homes = [Int](repeating: -1, count: matrices.count)
    var kept: [SequenceMatrix] = []
    var free: [Int] = []
    for (index, step) in steps.enumerated() {
      let wanted = matrices[step.output.matrix]
      if let place = free.firstIndex(where: { kept[$0].rows == wanted.rows && kept[$0].columns == wanted.columns }) {
        homes[step.output.matrix] = free.remove(at: place)
      } else {
        homes[step.output.matrix] = kept.count
        kept.append(wanted)
      }
      let ended = Set(step.reads + [step.output.matrix]).filter { lastRead[$0] <= index }
      free += ended.sorted().map { homes[$0] }
    }
    steps = steps.map { step in step.renumbered { homes[$0] } }
    outputs = outputs.map { SequenceView(matrix: homes[$0.matrix], column: $0.column, columns: $0.columns) }
    matrices = kept
  }
}
