import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A graph of a few nodes with random weights, always the same.
struct SmallGraph {
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
  ///
  /// - Returns: the kernels that ran.
  @discardableResult
  mutating func expectAgreement(input shape: [Int], _ comment: String) throws -> [String] {
    let input = random(shape)
    let expected = try ReferenceBackend.run(graph, weights: weights, input: input)[0]
    let plan = try compile(graph, weights: weights, inputShape: shape, options: CompileOptions(threads: 1))
    let found = try plan.run(input)[0]
    #expect(found.shape == expected.shape, "\(comment)")
    let (a, b) = (try found.values(), try expected.values())
    let largest = b.map(abs).max() ?? 0
    for (x, y) in zip(a, b) where abs(x - y) > 1e-5 * max(largest, 1e-3) {
      Issue.record("\(comment): \(x), the reference says \(y)")
      break
    }
    return plan.kernels
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

  /// DeepLab's rates, at sizes where oneDNN's kernels can't pad as far as they ask.
  @Test(arguments: [(12, 65, 65), (12, 29, 42), (36, 28, 28), (36, 29, 42), (24, 65, 7)])
  func wideDilationRunsFastKernels(dilation: Int, height: Int, width: Int) throws {
    var small = SmallGraph()
    let x = small.convolve(small.graph.input, from: 3, to: 32, kernel: 1, Convolution(), name: "a")
    let convolution = Convolution(
      padding: .symmetric(dilation), dilation: [dilation, dilation], hasBias: true)
    _ = small.convolve(x, from: 32, to: 16, kernel: 3, convolution, name: "b")
    let kernels = try small.expectAgreement(input: [1, 3, height, width], "dilation \(dilation)")
    #expect(!kernels.contains { $0.hasPrefix("ref") }, "\(kernels)")
  }

  /// Eleven groups of 24 make no whole number of blocks, however many of them are joined: RegNetY-128GF's third stage has
  /// such.
  @Test(arguments: [false, true])
  func groupsOfNoWholeBlocksRunFastKernels(hasResidual: Bool) throws {
    var small = SmallGraph()
    let x = small.convolve(small.graph.input, from: 3, to: 264, kernel: 1, Convolution(), name: "a")
    let convolution = Convolution(padding: .symmetric(1), groups: 11, hasBias: true)
    let y = small.convolve(x, from: 264, to: 264, kernel: 3, convolution, name: "b")
    _ = small.add(.activation(.relu), [hasResidual ? small.add(.add, [x, y], name: "c") : y], name: "d")
    let kernels = try small.expectAgreement(input: [2, 3, 9, 13], "residual \(hasResidual)")
    #expect(!kernels.contains { $0.hasPrefix("ref") }, "\(kernels)")
  }

  @Test func poolingsAgree() throws {
    for (kernel, stride, cells) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0)] {
      for ceilMode in [false, true] {
        for countsPadding in [false, true] {
          let pooling = Pooling(
            kernel: [kernel, kernel], stride: [stride, stride], padding: .symmetric(cells), ceilMode: ceilMode,
            countIncludePad: countsPadding)
          for operation in [Operation.maxPool(pooling), .averagePool(pooling)] {
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

  @Test(arguments: [16, 20, 3]) func normalisingChannelsAgrees(channels: Int) throws {
    for (axis, size) in [(1, channels), (2, 9), (3, 7)] {
      var small = SmallGraph()
      let x = small.convolve(small.graph.input, from: 3, to: channels, kernel: 1, Convolution(), name: "c")
      let operands = [x, small.parameter("n.weight", [size], 0.5...2), small.parameter("n.bias", [size])]
      _ = small.add(.layerNormalization(axis: axis, epsilon: 1e-6), operands, name: "n")
      try small.expectAgreement(input: [2, 3, 9, 7], "axis \(axis)")
    }
    var flat = SmallGraph()
    let operands = [
      flat.graph.input, flat.parameter("n.weight", [channels], 0.5...2), flat.parameter("n.bias", [channels]),
    ]
    _ = flat.add(.layerNormalization(axis: 1, epsilon: 1e-6), operands, name: "n")
    try flat.expectAgreement(input: [5, channels], "flat")
  }

  @Test(arguments: [1, 3]) func concatenationsAgree(batch: Int) throws {
    for widths in [[16, 32, 16], [5, 16, 11], [32]] {
      var small = SmallGraph()
      let stem = small.convolve(small.graph.input, from: 3, to: 16, kernel: 1, Convolution(), name: "stem")
      let parts = widths.enumerated().map { index, width in
        small.convolve(
          stem, from: 16, to: width, kernel: 3, Convolution(padding: .symmetric(1)), name: "branch\(index)")
      }
      // The stem itself is a part, one part stands there twice, and a sum reads a part again.
      let inner = small.add(.concatenate(axis: 1), parts + [stem, parts[0]], name: "inner")
      let total = widths.reduce(0, +) + 16 + widths[0]
      let after = small.convolve(inner, from: total, to: total, kernel: 1, Convolution(), name: "after")
      let sum = small.add(.add, [after, inner], name: "sum")
      let again = small.convolve(
        parts[0], from: widths[0], to: widths[0], kernel: 3, Convolution(padding: .symmetric(1)), name: "again")
      let late = small.add(.add, [again, parts[0]], name: "late")
      _ = small.add(.concatenate(axis: 1), [sum, late, inner], name: "outer")
      try small.expectAgreement(input: [batch, 3, 7, 6], "\(widths)")
    }
  }

  @Test func otherAxesConcatenateToo() throws {
    for axis in [0, 2, 3] {
      var small = SmallGraph()
      let x = small.convolve(small.graph.input, from: 3, to: 16, kernel: 1, Convolution(), name: "a")
      let y = small.convolve(small.graph.input, from: 3, to: 16, kernel: 1, Convolution(), name: "b")
      _ = small.add(.concatenate(axis: axis), [x, y], name: "c")
      try small.expectAgreement(input: [2, 3, 5, 4], "axis \(axis)")
    }
  }

  @Test func channelFactorsAgree() throws {
    for padding in [0, 1] {
      var small = SmallGraph()
      let input = small.add(
        .channelAffine(scale: [0.5, 2, -1], shift: [0.3, -0.2, 0.1]), [small.graph.input], name: "input")
      let x = small.convolve(
        input, from: 3, to: 20, kernel: 3, Convolution(padding: .symmetric(padding), hasBias: true), name: "c")
      let scaled = small.add(.channelScale, [x, small.parameter("s", [20, 1, 1])], name: "s")
      let y = small.add(.activation(.gelu), [scaled], name: "g")
      _ = small.add(.channelScale, [y, small.parameter("t", [20])], name: "t")
      try small.expectAgreement(input: [2, 3, 8, 9], "padding \(padding)")
    }
  }

  @Test(arguments: [16, 20, 3]) func gatesAgree(channels: Int) throws {
    for isReadAgain in [false, true] {
      var small = SmallGraph()
      let x = small.convolve(small.graph.input, from: 3, to: channels, kernel: 3, Convolution(), name: "c")
      let pooled = small.add(.adaptiveAveragePool(height: 1, width: 1), [x], name: "p")
      let wide = small.convolve(pooled, from: channels, to: channels, kernel: 1, Convolution(), name: "w")
      let gates = small.add(.activation(.hardSigmoid), [wide], name: "h")
      let gated = small.add(.gate, [x, gates], name: "g")
      if isReadAgain { _ = small.add(.add, [gated, x], name: "s") }
      try small.expectAgreement(input: [2, 3, 8, 9], "\(channels) channels")
    }
  }

  @Test func gatheredChannelsAgree() throws {
    for (widths, channels) in [
      ([16, 16], [Int](0..<16)), ([32, 8], [Int](8..<40)), ([10, 21], [0, 0, 30, 9, 10, 15, 16, 17]), ([5], [4, 3]),
      ([20, 20], (0..<40).map { $0 % 2 * 20 + $0 / 2 }),
    ] {
      var small = SmallGraph()
      let parts = widths.enumerated().map { index, width in
        small.convolve(small.graph.input, from: 3, to: width, kernel: 1, Convolution(), name: "c\(index)")
      }
      let gathered = small.add(.gatherChannels(channels), parts, name: "g")
      // A sum over all lanes shows what stands in those beyond the last channel.
      _ = small.convolve(gathered, from: channels.count, to: 7, kernel: 1, Convolution(), name: "after")
      try small.expectAgreement(input: [2, 3, 9, 8], "\(channels) of \(widths)")
    }
  }

  @Test func gathersOfGathersReadWhatWasMadeFirst() throws {
    var small = SmallGraph()
    let a = small.convolve(small.graph.input, from: 3, to: 12, kernel: 1, Convolution(), name: "a")
    let b = small.convolve(small.graph.input, from: 3, to: 7, kernel: 1, Convolution(), name: "b")
    let joined = small.add(.concatenate(axis: 1), [a, b], name: "joined")
    let shuffled = small.add(.gatherChannels((0..<19).map { $0 * 7 % 19 }), [joined], name: "shuffled")
    let half = small.add(.gatherChannels([Int](4..<11)), [shuffled], name: "half")
    let other = small.add(.gatherChannels([18, 0, 0, 3]), [shuffled], name: "other")
    let last = small.add(.gatherChannels([10, 3, 2, 9, 29, 11]), [half, other, joined], name: "last")
    // What was put side by side is read by others too.
    let after = small.convolve(joined, from: 19, to: 6, kernel: 1, Convolution(), name: "after")
    _ = small.add(.add, [after, last], name: "sum")
    try small.expectAgreement(input: [2, 3, 5, 6], "gathers")
    let composed = try Network(graph: small.graph, weights: small.weights)
      .composingChannelGathers(inputShape: [2, 3, 5, 6])
    #expect(composed.graph.nodes.map(\.name) == ["a", "b", "joined", "last", "after", "sum"])
    #expect(composed.graph.nodes[3].inputs.count == 2)
  }

  @Test func hardActivationsAgreeByThemselves() throws {
    for kind in [Activation.hardSigmoid, .hardSwish] {
      for channels in [16, 21] {
        var small = SmallGraph()
        let x = small.convolve(small.graph.input, from: 3, to: channels, kernel: 1, Convolution(), name: "c")
        let sum = small.add(.add, [x, x], name: "twice")
        let more = small.add(.add, [sum, sum], name: "four times")
        let active = small.add(.activation(kind), [more], name: "h")
        _ = small.convolve(active, from: channels, to: 5, kernel: 1, Convolution(), name: "after")
        try small.expectAgreement(input: [2, 3, 7, 5], "\(kind), \(channels) channels")
      }
      var flat = SmallGraph()
      _ = flat.add(.activation(kind), [flat.graph.input], name: "h")
      try flat.expectAgreement(input: [3, 9], "\(kind), flat")
    }
  }

  @Test func linearLayersRunAtEveryPixel() throws {
    var small = SmallGraph()
    let x = small.convolve(small.graph.input, from: 3, to: 12, kernel: 1, Convolution(), name: "c")
    let wide = small.add(
      .linear(hasBias: true, epilogue: []), [x, small.parameter("w", [40, 12]), small.parameter("b", [40])], name: "w")
    let active = small.add(.activation(.gelu), [wide], name: "g")
    let narrow = small.add(
      .linear(hasBias: false, epilogue: []), [active, small.parameter("n", [12, 40])], name: "n")
    let scaled = small.add(.channelScale, [narrow, small.parameter("s", [12, 1, 1])], name: "s")
    _ = small.add(.add, [scaled, x], name: "sum")
    try small.expectAgreement(input: [2, 3, 6, 5], "linear")
  }

  @Test(arguments: [Activation.relu, .relu6, .sigmoid, .silu, .gelu, .hardSigmoid, .hardSwish, .tanh])
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
