import ZooCheckpoint
import ZooGraph

/// Holds two graphs against each other from their outputs back to their inputs.
///
/// They match where the same operations with the same attributes stand in the same places; parameters then correspond
/// by place, whatever they are called.
package struct StructuralMatch {
  private let model: Graph
  private let other: Graph
  private let modelProducers: [ValueID: Node]
  private let otherProducers: [ValueID: Node]
  private let modelParameters: [ValueID: Parameter]
  private let otherParameters: [ValueID: Parameter]
  private let modelShapes: [[Int]]
  private let otherShapes: [[Int]]
  /// The last linear layer's parameters: their outputs may differ in number.
  private let head: String
  private var matched: [ValueID: ValueID] = [:]
  /// The other graph's names by the model's.
  package private(set) var names: [String: String] = [:]
  /// Shapes of the model's biases that the other graph leaves out because they are zero.
  private(set) var zeros: [String: [Int]] = [:]
  private(set) var classes: Int?

  /// - Parameter input: the shape that both take.
  package init?(model: Graph, other: Graph, input: [Int]) {
    guard let shapes = try? model.inferShapes(input: input), let others = try? other.inferShapes(input: input) else {
      return nil
    }
    self.model = model
    self.other = other
    modelShapes = shapes
    otherShapes = others
    head = model.headModule ?? ""
    modelProducers = Dictionary(uniqueKeysWithValues: model.nodes.map { ($0.output, $0) })
    otherProducers = Dictionary(uniqueKeysWithValues: other.nodes.map { ($0.output, $0) })
    modelParameters = model.parametersByValue
    otherParameters = other.parametersByValue
    guard let a = model.outputs.first, let b = other.outputs.first else { return nil }
    var end = b
    // Exporters may add the softmax that training leaves to the loss.
    if let last = otherProducers[b], case .softmax = last.operation { end = last.inputs[0] }
    guard match(a, end), names.count + zeros.count == model.parameters.count else {
      return nil
    }
  }

  /// Steps that change nothing for this input.
  private func skippingIdentities(_ value: ValueID) -> ValueID {
    var value = value
    while let node = modelProducers[value] {
      switch node.operation {
      case .dropout: break
      case .adaptiveAveragePool(let height, let width):
        guard Array(modelShapes[node.inputs[0].index].suffix(2)) == [height, width],
          [height, width] != [1, 1] || otherHasNoPooling
        else { return value }
      default: return value
      }
      value = node.inputs[0]
    }
    return value
  }

  private var otherHasNoPooling: Bool {
    !other.nodes.contains { if case .adaptiveAveragePool = $0.operation { true } else { false } }
  }

  private mutating func match(_ first: ValueID, _ b: ValueID) -> Bool {
    let a = skippingIdentities(first)
    if let known = matched[a] { return known == b }
    if a == model.input || b == other.input { return a == model.input && b == other.input }
    if let parameter = modelParameters[a] { return match(parameter, b) }
    guard let here = modelProducers[a], let there = otherProducers[b], isSame(here, there) else { return false }
    matched[a] = b
    if here.inputs.count == there.inputs.count + 1, here.operation.hasBias, !there.operation.hasBias {
      guard matchAll(here.inputs.dropLast(), there.inputs), let bias = modelParameters[here.inputs[2]] else {
        return false
      }
      zeros[bias.name] = Array(otherShapes[there.inputs[1].index].prefix(1))
      return true
    }
    if case .concatenate(let axis) = here.operation {
      let parts = Self.parts(here, axis, modelProducers)
      let others = Self.parts(there, axis, otherProducers)
      return parts.count == others.count && matchAll(parts, others)
    }
    guard here.inputs.count == there.inputs.count else { return false }
    if case .add = here.operation {
      let before = self
      if matchAll(here.inputs, there.inputs) { return true }
      self = before
      return matchAll(here.inputs, there.inputs.reversed())
    }
    return matchAll(here.inputs, there.inputs)
  }

  /// What is put side by side: a part that is made of parts itself counts as those. Empty where there are more than
  /// any network has: parts of parts may double at each step.
  private static func parts(_ node: Node, _ axis: Int, _ producers: [ValueID: Node]) -> [ValueID] {
    var parts: [ValueID] = []
    var waiting = Array(node.inputs.reversed())
    var steps = 0
    while let value = waiting.popLast() {
      steps += 1
      guard steps <= 256, waiting.count <= 256 else { return [] }
      if let inner = producers[value], inner.operation == .concatenate(axis: axis) {
        waiting += inner.inputs.reversed()
      } else {
        parts.append(value)
      }
    }
    return parts
  }

  private mutating func matchAll(_ first: some Sequence<ValueID>, _ second: some Sequence<ValueID>) -> Bool {
    for (a, b) in zip(first, second) where !match(a, b) { return false }
    return true
  }

  private mutating func match(_ parameter: Parameter, _ b: ValueID) -> Bool {
    guard let counterpart = otherParameters[b] else { return false }
    var expected = parameter.shape
    if !head.isEmpty, parameter.name.hasPrefix(head + "."), let found = counterpart.shape.first {
      expected[0] = found
      classes = found
    }
    guard expected == counterpart.shape, names.updateValue(counterpart.name, forKey: parameter.name) == nil else {
      return false
    }
    return true
  }

  private func isSame(_ here: Node, _ there: Node) -> Bool {
    let (input, otherInput) = (modelShapes[here.inputs[0].index], otherShapes[there.inputs[0].index])
    switch (here.operation, there.operation) {
    // The momentum only matters to training.
    case (.batchNormalization(let first, _), .batchNormalization(let second, _)):
      return abs(first - second) <= first * 1e-3
    case (.convolution(let first), .convolution(let second)):
      let (kernel, otherKernel) = (modelShapes[here.inputs[1].index], otherShapes[there.inputs[1].index])
      return first.stride == second.stride && first.dilation == second.dilation && first.groups == second.groups
        && (first.hasBias || !second.hasBias) && kernel.suffix(2) == otherKernel.suffix(2)
        && Self.isSame(
          first.padding.axes(
            input: Array(input.suffix(2)), kernel: Array(kernel.suffix(2)), stride: first.stride,
            dilation: first.dilation),
          second.padding.axes(
            input: Array(otherInput.suffix(2)), kernel: Array(otherKernel.suffix(2)), stride: second.stride,
            dilation: second.dilation))
    case (.linear(let first, []), .linear(let second, [])): return first || !second
    case (.maxPool(let first), .maxPool(let second)): return isSame(first, input, second, otherInput)
    case (.averagePool(let first), .averagePool(let second)):
      return isSame(first, input, second, otherInput)
        && (first.countIncludePad == second.countIncludePad || first.padding == .symmetric(0))
    case (.layerNormalization(let axis, let first), .layerNormalization(let otherAxis, let second)):
      return axis == otherAxis && abs(first - second) <= first * 1e-3
    case (.channelAffine(let scale, let shift), .channelAffine(let otherScale, let otherShift)):
      return Self.isClose(scale, otherScale) && Self.isClose(shift, otherShift)
    // Exporters write adaptive pooling as the window that it comes to.
    case (.adaptiveAveragePool(let height, let width), .averagePool(let pooling)):
      let window = zip(input.suffix(2), [height, width]).map { $1 > 0 && $0 % $1 == 0 ? $0 / $1 : 0 }
      return pooling.kernel == window && pooling.stride == window && pooling.padding == .symmetric(0)
    default: return here.operation == there.operation
    }
  }

  private func isSame(_ first: Pooling, _ input: [Int], _ second: Pooling, _ otherInput: [Int]) -> Bool {
    first.kernel == second.kernel && first.stride == second.stride
      && Self.isSame(
        first.padding.axes(
          input: Array(input.suffix(2)), kernel: first.kernel, stride: first.stride, ceilMode: first.ceilMode),
        second.padding.axes(
          input: Array(otherInput.suffix(2)), kernel: second.kernel, stride: second.stride, ceilMode: second.ceilMode))
  }

  private static func isClose(_ first: [Float], _ second: [Float]) -> Bool {
    first.count == second.count && zip(first, second).allSatisfy { abs($0 - $1) <= 1e-4 }
  }

  /// Whether windows fall on the same cells, however their padding is said.
  private static func isSame(
    _ first: (height: WindowAxis, width: WindowAxis)?, _ second: (height: WindowAxis, width: WindowAxis)?
  ) -> Bool {
    guard let first, let second else { return false }
    return first.height == second.height && first.width == second.width
  }
}

extension Operation {
  /// Whether the last of its inputs is a bias that it may lack.
  fileprivate var hasBias: Bool {
    switch self {
    case .convolution(let convolution): convolution.hasBias
    case .linear(let hasBias, _): hasBias
    default: false
    }
  }
}
