import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A graph of a few nodes with random weights, always the same.
private struct SmallGraph {
  var graph = Graph()
  var weights = Weights()
  private var state: UInt64 = 1

  mutating func random(_ shape: [Int], _ range: ClosedRange<Float> = -1...1) -> FloatTensor {
    FloatTensor(
      shape: shape,
      values: (0..<shape.reduce(1, *)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return range.lowerBound + (range.upperBound - range.lowerBound) * Float(state >> 40) / Float(1 << 24)
      })
  }

  mutating func parameter(_ name: String, _ shape: [Int], _ range: ClosedRange<Float> = -1...1) -> ValueID {
    let value = graph.makeValue()
    graph.parameters.append(Parameter(name: name, shape: shape, isBuffer: false, value: value))
    weights[name] = random(shape, range)
    return value
  }

  mutating func add(_ operation: Operation, _ inputs: [ValueID], name: String) -> ValueID {
    let output = graph.makeValue()
    graph.nodes.append(Node(operation: operation, inputs: inputs, output: output, name: name, stage: 0))
    graph.outputs = [output]
    return output
  }

  mutating func convolve(_ x: ValueID, from: Int, to: Int, kernel: Int, _ convolution: Convolution, name: String)
    -> ValueID
  {
    var inputs = [x, parameter("\(name).weight", [to, from / convolution.groups, kernel, kernel])]
    if convolution.hasBias { inputs.append(parameter("\(name).bias", [to])) }
    return add(.convolution(convolution), inputs, name: name)
  }

  /// Both backends on one random input agree.
  mutating func expectAgreement(input shape: [Int], _ comment: String) throws {
    let input = random(shape)
    let expected = try ReferenceBackend.run(graph, weights: weights, input: input)[0]
    let found = try compile(graph, weights: weights, inputShape: shape, options: CompileOptions(threads: 1))
      .run(input)[0]
    #expect(found.shape == expected.shape, "\(comment)")
    let (a, b) = (try found.values(), try expected.values())
    let largest = b.map(abs).max() ?? 0
    for (x, y) in zip(a, b) where abs(x - y) > 1e-5 * max(largest, 1e-3) {
      Issue.record("\(comment): \(x), the reference says \(y)")
      return
    }
  }
}

@Suite struct ReferenceTests {
  @Test(arguments: TinyNetwork.names)
  func theReferenceEqualsTorch(name: String) throws {
    let network = try TinyNetwork(name)
    let expected = try network.values("logits")
    let found = try ReferenceBackend.run(network.graph, weights: network.weights, input: network.input)[0].values()
    let largest = expected.map(abs).max() ?? 0
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-5 * largest) }
  }

  @Test(
    arguments: [1, 2, 3], [Padding.symmetric(0), .symmetric(2), .same, .explicit(top: 0, left: 1, bottom: 2, right: 1)])
  func convolutionsAgree(stride: Int, padding: Padding) throws {
    for (from, to, groups) in [(3, 8, 1), (6, 8, 2), (16, 32, 1), (8, 8, 8), (5, 10, 5), (32, 32, 4)] {
      for (kernel, dilation) in [(1, 1), (3, 1), (3, 2), (5, 1)] {
        var small = SmallGraph()
        let convolution = Convolution(
          stride: [stride, stride], padding: padding, dilation: [dilation, dilation], groups: groups, hasBias: true)
        _ = small.convolve(small.graph.input, from: from, to: to, kernel: kernel, convolution, name: "c")
        try small.expectAgreement(
          input: [2, from, 11, 9], "\(from) to \(to), groups \(groups), kernel \(kernel), dilation \(dilation)")
      }
    }
  }

  @Test func poolingsAgree() throws {
    for (kernel, stride, cells) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0)] {
      for ceilMode in [false, true] {
        for countsPadding in [false, true] {
          let pooling = Pooling(
            kernel: [kernel, kernel], stride: [stride, stride], padding: .symmetric(cells), ceilMode: ceilMode,
            countIncludePad: countsPadding)
          for operation in [Operation.maxPool(pooling), .averagePool(pooling)] {
            // The fast backend says so where a partial window would count padding.
            if operation == .averagePool(pooling), ceilMode, countsPadding { continue }
            var small = SmallGraph()
            let x = small.convolve(small.graph.input, from: 3, to: 16, kernel: 1, Convolution(), name: "c")
            _ = small.add(operation, [x], name: "p")
            try small.expectAgreement(input: [2, 3, 11, 8], "\(operation)")
          }
        }
      }
    }
  }

  @Test(arguments: [(1, 1), (3, 2), (7, 7), (11, 8)])
  func adaptivePoolingsAgree(height: Int, width: Int) throws {
    var small = SmallGraph()
    let x = small.convolve(small.graph.input, from: 3, to: 20, kernel: 1, Convolution(), name: "c")
    _ = small.add(.adaptiveAveragePool(height: height, width: width), [x], name: "p")
    try small.expectAgreement(input: [2, 3, 11, 8], "\(height) × \(width)")
  }

  @Test(arguments: [Activation.relu, .relu6, .sigmoid, .silu])
  func aWholeBlockAgrees(activation: Activation) throws {
    var small = SmallGraph()
    func check(_ node: String) throws { try small.expectAgreement(input: [3, 3, 10, 7], "\(activation), to \(node)") }
    let first = small.convolve(small.graph.input, from: 3, to: 12, kernel: 3, Convolution(), name: "a")
    let norm = [
      first, small.parameter("n.weight", [12], 0.5...3), small.parameter("n.bias", [12]),
      small.parameter("n.mean", [12]), small.parameter("n.variance", [12], 0.1...2),
    ]
    let normal = small.add(.batchNormalization(epsilon: 1e-5, momentum: 0.1), norm, name: "n")
    try check("n")
    let active = small.add(.activation(activation), [normal], name: "r")
    try check("r")
    let second = small.convolve(
      active, from: 12, to: 12, kernel: 3, Convolution(padding: .symmetric(1), hasBias: true), name: "b")
    try check("b")
    let sum = small.add(.add, [second, active], name: "s")
    try check("s")
    let pooled = small.add(.adaptiveAveragePool(height: 1, width: 1), [sum], name: "p")
    let flat = small.add(.flatten, [pooled], name: "f")
    let dropped = small.add(.dropout(probability: 0.5), [flat], name: "d")
    try check("d")
    let linear = small.add(
      .linear(hasBias: true, epilogue: []),
      [dropped, small.parameter("l.weight", [7, 12]), small.parameter("l.bias", [7])], name: "l")
    try check("l")
    _ = small.add(.softmax, [linear], name: "x")
    try check("x")
  }
}
