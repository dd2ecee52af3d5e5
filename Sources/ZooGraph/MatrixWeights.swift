/// A weight that is a matrix wherever it is used: a linear layer's or an ungrouped 1×1 convolution's.
public struct MatrixWeight: Sendable, Equatable {
  public let name: String
  /// [outputs, inputs], [outputs, inputs, 1, 1], or [inputs, outputs] where it is turned.
  public let shape: [Int]
  public let outputs: Int
  public let inputs: Int
  /// Whether it is stored as [inputs, outputs], as GPT-2's.
  public let isTurned: Bool
}

extension Graph {
  /// Trainable matrices in the order of their use; those that are something else too, such as embeddings, are left out.
  public var matrixWeights: [MatrixWeight] {
    let sources = matrixSources
    var found: [MatrixWeight] = []
    var others: Set<String> = []
    for node in nodes {
      if case .transpose = node.operation { continue }
      for (place, input) in node.inputs.enumerated() {
        guard let (parameter, isTurned) = sources[input] else { continue }
        guard place == 1, node.multipliesByMatrix(parameter.shape) else {
          others.insert(parameter.name)
          continue
        }
        guard !found.contains(where: { $0.name == parameter.name }) else { continue }
        let (first, second) = (parameter.shape[0], parameter.shape[1])
        found.append(
          MatrixWeight(
            name: parameter.name, shape: parameter.shape, outputs: isTurned ? second : first,
            inputs: isTurned ? first : second, isTurned: isTurned))
      }
    }
    return found.filter { !others.contains($0.name) }
  }

  /// Names of the matrices that make queries, keys and values, and of those that attention's output goes through: found by
  /// following the values of each attention, not by names.
  public var attentionProjections: Set<String> {
    let sources = matrixSources
    let makers = Dictionary(nodes.map { ($0.output, $0) }) { first, _ in first }
    let readers = nodes.reduce(into: [ValueID: [Node]]()) { readers, node in
      if let value = node.inputs.first { readers[value, default: []].append(node) }
    }
    var found: Set<String> = []
    func matrix(of node: Node) -> String? {
      guard node.inputs.count > 1, let (parameter, _) = sources[node.inputs[1]] else { return nil }
      return node.multipliesByMatrix(parameter.shape) ? parameter.name : nil
    }
    func makes(_ value: ValueID) {
      guard let node = makers[value] else { return }
      if let name = matrix(of: node) {
        found.insert(name)
      } else if node.movesChannels {
        makes(node.inputs[0])
      }
    }
    func reads(_ value: ValueID) {
      for node in readers[value] ?? [] {
        if let name = matrix(of: node) {
          found.insert(name)
        } else if node.movesChannels {
          reads(node.output)
        }
      }
    }
    for node in nodes {
      guard let count = node.attendedInputs else { continue }
      node.inputs.prefix(count).forEach(makes)
      reads(node.output)
    }
    return found
  }

  /// Values that are a parameter as it stands or turned.
  private var matrixSources: [ValueID: (parameter: Parameter, isTurned: Bool)] {
    var sources = parametersByValue.filter { !$0.value.isBuffer }.mapValues { (parameter: $0, isTurned: false) }
    for node in nodes {
      guard case .transpose = node.operation, let source = sources[node.inputs[0]] else { continue }
      sources[node.output] = (source.parameter, true)
    }
    return sources
  }
}

extension Node {
  fileprivate func multipliesByMatrix(_ shape: [Int]) -> Bool {
    switch operation {
    case .linear: shape.count == 2
    case .convolution(let convolution): convolution.groups == 1 && shape.count == 4 && shape.dropFirst(2) == [1, 1]
    default: false
    }
  }

  /// Queries, keys and values of an attention, or the one value that holds all three; nil for all else.
  fileprivate var attendedInputs: Int? {
    switch operation {
    case .attention: 1
    case .sequence(.attention): 3
    default: nil
    }
  }

  /// Whether its output is its first input in another order, scaled or shifted.
  fileprivate var movesChannels: Bool {
    switch operation {
    case .rearrange, .channelShift, .gatherChannels, .dropout, .sequence(.scale), .channelScale: true
    default: false
    }
  }
}
