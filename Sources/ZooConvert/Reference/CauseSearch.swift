import ZooCheckpoint
import ZooGraph

/// Finds why a layer departs by trying: the layer is run again from the reference's own inputs with each known variant,
/// until one gives what the reference gives.
struct CauseSearch {
  /// The nodes between the last values known to hold and the layer, in order, and the layer's own last.
  let segment: [Node]
  /// What flows into the segment, as the reference has it.
  let known: [ValueID: FloatTensor]
  /// What the layer may have been recorded as: its own output, or that of the activation behind it.
  let targets: [ValueID]
  let reference: Tensor
  let runner: NodeRunner
  let tolerance: Double

  /// More nodes than this are not tried one by one.
  private static let longestSegment = 24

  /// - Throws: `EngineError`, `GraphError`, ``TensorError``, ``FileError``.
  func cause() throws -> KnownCause? {
    var values = known
    let layer = segment.first { $0.output == targets[0] } ?? segment[segment.count - 1]
    var isComplete = true
    for node in segment {
      guard let output = try? runner.run(node, { values[$0] }) else {
        isComplete = false
        break
      }
      values[node.output] = output
    }
    let baseline = try departure(values)
    if baseline.relative <= tolerance {
      return KnownCause(
        kind: .accumulation, layer: layer.name,
        words: "nothing of its own: given the reference's input it agrees; small differences before it add up",
        remaining: baseline.relative)
    }
    let own = segment.enumerated().filter { $0.element.output == targets[0] }
    let nearest = own + segment.enumerated().reversed().filter { $0.element.output != targets[0] }
    for (index, node) in nearest.prefix(Self.longestSegment) where values[node.inputs[0]] != nil {
      for variant in try context(node, values).variants() {
        guard let changed = try? run(variant, at: index, values) else { continue }
        let left = try departure(changed)
        if left.relative <= tolerance {
          return KnownCause(kind: variant.kind, layer: node.name, words: variant.words, remaining: left.relative)
        }
      }
    }
    if segment.count > Self.longestSegment, let cause = try everywhere() { return cause }
    return isComplete ? try channelwise(values, layer: layer.name) : nil
  }

  /// What goes through a whole network where little of it was recorded: every BatchNorm's epsilon, the input's channels.
  private func everywhere() throws -> KnownCause? {
    var trials = VariantContext.epsilons.map { epsilon in
      (
        KnownCause.Kind.epsilon, "BatchNorm epsilon: with \(epsilon) everywhere",
        segment.map { node in
          var node = node
          if case .batchNormalization(_, let momentum) = node.operation {
            node.operation = .batchNormalization(epsilon: epsilon, momentum: momentum)
          }
          return node
        }, known
      )
    }
    if let (value, input) = known.first, known.count == 1,
      let turned = try input.laidOut(.flip([1])), input.shape.count == 4, input.shape[1] == 3
    {
      trials.append(
        (
          .channelOrder, "channel order: the reference reads its input's channels the other way round (BGR and RGB)",
          segment, [value: turned]
        ))
    }
    for (kind, words, nodes, known) in trials where nodes != segment || kind == .channelOrder {
      var values = known
      for node in nodes { values[node.output] = try? runner.run(node) { values[$0] } }
      let left = try departure(values)
      if left.relative <= tolerance {
        return KnownCause(kind: kind, layer: segment[0].name, words: words, remaining: left.relative)
      }
    }
    return nil
  }

  private func context(_ node: Node, _ values: [ValueID: FloatTensor]) throws -> VariantContext {
    var parameters: [Int: FloatTensor] = [:]
    for (place, value) in node.inputs.enumerated() {
      parameters[place] = runner.parameter(value).flatMap { runner.weights[$0.name] }
    }
    var unflattened: [Int]?
    var value = node.inputs[0]
    while let before = segment.first(where: { $0.output == value }) {
      if case .flatten = before.operation { unflattened = values[before.inputs[0]]?.shape }
      guard case .dropout = before.operation else { break }
      value = before.inputs[0]
    }
    let input = values[node.inputs[0]] ?? FloatTensor(shape: [0], values: [])
    let wanted =
      try targets.contains(node.output)
      ? values[node.output].map { try ReferenceLayout.fitting(reference, to: $0.shape) } ?? [] : []
    return VariantContext(node: node, parameters: parameters, input: input, unflattened: unflattened, wanted: wanted)
  }

  /// The segment's values with the node at `index` changed.
  private func run(_ variant: Variant, at index: Int, _ values: [ValueID: FloatTensor]) throws -> [ValueID: FloatTensor]
  {
    var values = values
    for (position, node) in segment.enumerated() where position >= index {
      if position > index {
        values[node.output] = try runner.run(node, { values[$0] })
      } else if let activation = variant.activation, let input = values[node.inputs[0]] {
        values[node.output] = try input.mapped { Float(activation(Double($0))) }
      } else {
        values[node.output] = try runner.run(variant.node, { values[$0] }, replacing: variant.replacing)
      }
    }
    return values
  }

  private func departure(_ values: [ValueID: FloatTensor]) throws -> Departure {
    var best = Departure.shapes
    for value in targets.compactMap({ values[$0] }) {
      for reference in try ReferenceLayout.fitting(reference, to: value.shape) {
        let found = try Departure(value, from: reference)
        if found.absolute < best.absolute { best = found }
      }
    }
    return best
  }

  /// Departures that are the same everywhere in a channel.
  private func channelwise(_ values: [ValueID: FloatTensor], layer: String) throws -> KnownCause? {
    for value in targets.compactMap({ values[$0] }) {
      for reference in try ReferenceLayout.fitting(reference, to: value.shape) {
        guard let (kind, words, remaining) = try ChannelFit(value, reference)?.explanation(within: tolerance) else {
          continue
        }
        return KnownCause(kind: kind, layer: layer, words: words, remaining: remaining)
      }
    }
    return nil
  }
}
