import Foundation
import ZooCheckpoint
import ZooGraph

/// Runs a network in the simplest way: one operation after another, plain loops in double precision, no layouts, no
/// fusion. Slow; what the fast backend is held to.
public enum ReferenceBackend {
  /// - Parameters:
  ///   - graph: as families make it, without epilogues.
  ///   - input: of the graph's input shape, pictures [N, C, H, W].
  /// - Returns: the graph's outputs.
  /// - Throws: ``EngineError``, `GraphError`, `FileError`.
  public static func run(_ graph: Graph, weights: Weights, input: FloatTensor) throws -> [FloatTensor] {
    let shapes = try graph.inferShapes(input: input.shape)
    var values = [[Double]?](repeating: nil, count: graph.values)
    values[graph.input.index] = try input.values().map(Double.init)
    if let decoderInput = graph.decoderInput { values[decoderInput.index] = try input.values().map(Double.init) }
    for parameter in graph.parameters {
      guard let tensor = weights[parameter.name] else { throw EngineError.missingWeight(name: parameter.name) }
      guard tensor.shape == parameter.shape else {
        throw EngineError.weightShape(name: parameter.name, expected: parameter.shape, found: tensor.shape)
      }
      values[parameter.value.index] = try tensor.values().map(Double.init)
    }
    for node in graph.nodes {
      let inputs = try node.inputs.map { value in
        guard let made = values[value.index] else {
          throw EngineError.unsupported(node: node.name, problem: "an input is made by no node before it")
        }
        return ReferenceValue(values: made, shape: shapes[value.index])
      }
      values[node.output.index] = try output(of: node, inputs, shape: shapes[node.output.index])
    }
    return graph.outputs.map { value in
      FloatTensor(shape: shapes[value.index], values: (values[value.index] ?? []).map(Float.init))
    }
  }

  private static func output(of node: Node, _ inputs: [ReferenceValue], shape: [Int]) throws -> [Double] {
    let x = inputs[0]
    switch node.operation {
    case .convolution(let convolution):
      guard convolution.epilogue.isEmpty else { throw Self.fused(node) }
      return try ReferenceWindows.convolve(x, inputs, convolution, shape: shape, node: node.name)
    case .maxPool(let pooling):
      return try ReferenceWindows.pool(x, pooling, shape: shape, node: node.name) { values, _ in
        values.max() ?? -.infinity
      }
    case .averagePool(let pooling):
      return try ReferenceWindows.pool(x, pooling, shape: shape, node: node.name) { values, cells in
        values.reduce(0, +) / Double(pooling.countIncludePad ? cells : values.count)
      }
    case .adaptiveAveragePool: return ReferenceWindows.adaptiveAverage(x, shape: shape)
    case .batchNormalization(let epsilon, _): return normalize(inputs, epsilon: Double(epsilon))
    case .activation(let activation): return x.values.map { apply(activation, $0) }
    case .linear(let hasBias, let epilogue):
      guard epilogue.isEmpty else { throw Self.fused(node) }
      return multiply(x, weight: inputs[1], bias: hasBias ? inputs[2] : nil)
    case .layerNormalization(let axis, let epsilon):
      return ReferenceChannels.normalize(inputs, axis: axis, epsilon: Double(epsilon))
    case .channelScale: return ReferenceChannels.map(x) { $1 * inputs[1].values[$0] }
    case .channelAffine(let scale, let shift):
      return ReferenceChannels.map(x) { $1 * Double(scale[$0]) + Double(shift[$0]) }
    case .gate: return ReferenceChannels.gate(x, by: inputs[1])
    case .gatherChannels(let channels): return ReferenceChannels.gather(inputs, channels)
    case .concatenate(let axis): return ReferenceChannels.concatenate(inputs, axis: axis)
    case .resize: return ReferenceWindows.resize(x, shape: shape)
    case .add: return zip(x.values, inputs[1].values).map(+)
    case .flatten, .dropout: return x.values
    case .softmax: return softmax(x)
    case .attention(let attention): return ReferenceAttention.attend(attention, inputs)
    case .tokens: return try ReferenceAttention.tokens(inputs, node: node.name)
    case .rearrange(let rearrangement):
      return try ReferenceAttention.rearrange(rearrangement, inputs, node: node.name)
    case .channelShift(let exceptions):
      return ReferenceChannels.map(x) { exceptions.contains($0) ? $1 : $1 + inputs[1].values[$0] }
    case .reshape: return x.values
    case .transpose:
      let (rows, columns) = (x.shape[0], x.shape[1])
      return (0..<columns).flatMap { column in (0..<rows).map { x.values[$0 * columns + column] } }
    case .sequence(let operation): return ReferenceSequences.output(of: operation, inputs)
    }
  }

  private static func fused(_ node: Node) -> EngineError {
    .unsupported(node: node.name, problem: "epilogues are the compiler's, the reference takes graphs without them")
  }

  /// x [N, C, …], weight, bias, mean, variance [C].
  private static func normalize(_ inputs: [ReferenceValue], epsilon: Double) -> [Double] {
    ReferenceChannels.map(inputs[0]) { channel, value in
      (value - inputs[3].values[channel]) / (inputs[4].values[channel] + epsilon).squareRoot()
        * inputs[1].values[channel] + inputs[2].values[channel]
    }
  }

  private static func apply(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .relu: max(x, 0)
    case .relu6: min(max(x, 0), 6)
    case .sigmoid: 1 / (1 + exp(-x))
    case .silu: x / (1 + exp(-x))
    case .gelu: x * (1 + erf(x / 2.0.squareRoot())) / 2
    case .geluTanh: x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
    case .hardSigmoid: min(max(x + 3, 0), 6) / 6
    case .hardSwish: x * min(max(x + 3, 0), 6) / 6
    case .tanh: Foundation.tanh(x)
    }
  }

  /// x [N, I, …], weight [O, I], bias [O]; gives [N, O, …].
  private static func multiply(_ x: ReferenceValue, weight: ReferenceValue, bias: ReferenceValue?) -> [Double] {
    let (rows, inputs, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
    let pixels = x.shape.dropFirst(2).reduce(1, *)
    var result: [Double] = []
    for row in 0..<rows {
      for output in 0..<outputs {
        for pixel in 0..<pixels {
          var sum = bias?.values[output] ?? 0
          for index in 0..<inputs {
            sum += x.values[(row * inputs + index) * pixels + pixel] * weight.values[output * inputs + index]
          }
          result.append(sum)
        }
      }
    }
    return result
  }

  private static func softmax(_ x: ReferenceValue) -> [Double] {
    let width = max(x.shape.last ?? 1, 1)
    var result: [Double] = []
    for start in stride(from: 0, to: x.values.count, by: width) {
      let row = x.values[start..<start + width]
      let peak = row.max() ?? 0
      let powers = row.map { exp($0 - peak) }
      let sum = powers.reduce(0, +)
      result += powers.map { $0 / sum }
    }
    return result
  }
}

/// Values in row-major order with their shape.
struct ReferenceValue {
  let values: [Double]
  let shape: [Int]
}
