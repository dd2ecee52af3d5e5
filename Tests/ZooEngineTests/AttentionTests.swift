import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

@Suite struct AttentionTests {
  /// A projection of the input, attention, and a sum with what went in.
  private static func check(
    _ attention: Attention, width: Int, input: [Int], extra: (inout SmallGraph) -> [ValueID] = { _ in [] }
  ) throws {
    var small = SmallGraph()
    let channels = attention.heads * width
    let x = small.convolve(small.graph.input, from: input[1], to: channels, kernel: 1, Convolution(), name: "c")
    let projected = small.add(
      .linear(hasBias: true, epilogue: []),
      [x, small.parameter("p", [3 * channels, channels]), small.parameter("q", [3 * channels])], name: "p")
    let attended = small.add(.attention(attention), [projected] + extra(&small), name: "attention")
    _ = small.add(.add, [attended, x], name: "sum")
    try small.expectAgreement(input: input, "\(attention), width \(width), input \(input)")
  }

  @Test(arguments: [(1, 16), (3, 32), (2, 80), (3, 5), (5, 8)])
  func wholePicturesAgree(heads: Int, width: Int) throws {
    for size in [[1, 1], [1, 17], [3, 16], [7, 9]] {
      try Self.check(Attention(heads: heads, scale: 0.5), width: width, input: [2, 3] + size)
    }
  }

  /// Longer than what is multiplied at once, so that earlier sums are scaled when a larger product turns up.
  @Test func longSequencesAgree() throws {
    try Self.check(Attention(heads: 1, scale: 1.5), width: 6, input: [1, 3, 1, 600])
  }

  @Test(arguments: [[0, 0], [2, 2], [1, 0], [0, 3]], [[4, 4], [8, 12], [8, 4]])
  func shiftedWindowsAgree(shift: [Int], size: [Int]) throws {
    for isCosine in [false, true] {
      let attention = Attention(
        heads: 2, partition: .windows(height: 4, width: 4, shift: shift), scale: 0.3, hasPositionBias: true,
        isCosine: isCosine)
      try Self.check(attention, width: 16, input: [2, 3] + size) { small in
        let table = small.parameter("table", [49, 2])
        return isCosine ? [table, small.parameter("scales", [2, 1, 1], 2...6)] : [table]
      }
    }
  }

  @Test func gridsAgree() throws {
    let attention = Attention(heads: 3, partition: .grid(height: 2, width: 3), scale: 0.3, hasPositionBias: true)
    for size in [[2, 3], [6, 6], [4, 9]] {
      try Self.check(attention, width: 8, input: [2, 3] + size) { [$0.parameter("table", [15, 3])] }
    }
  }

  @Test func windowsThatDontDivideThePictureAreRefused() throws {
    var small = SmallGraph()
    let attention = Attention(heads: 1, partition: .windows(height: 4, width: 4, shift: [0, 0]))
    _ = small.add(.attention(attention), [small.graph.input], name: "attention")
    #expect(throws: GraphError.indivisible(node: "attention", window: [4, 4], input: [8, 6])) {
      try small.graph.inferShapes(input: [1, 12, 8, 6])
    }
  }

  @Test(arguments: [3, 16, 24]) func rearrangementsAgree(channels: Int) throws {
    for size in [[6, 4], [5, 8], [7, 7]] {
      var small = SmallGraph()
      let x = small.convolve(small.graph.input, from: 3, to: channels, kernel: 1, Convolution(), name: "c")
      let padded = small.add(.rearrange(.padToMultiple(height: 4, width: 2)), [x], name: "pad")
      try small.expectAgreement(input: [2, 3] + size, "padded \(size)")
      let merged = small.add(.rearrange(.mergeNeighbours), [padded], name: "merge")
      try small.expectAgreement(input: [2, 3] + size, "merged \(size)")
      let back = small.convolve(merged, from: 4 * channels, to: channels, kernel: 1, Convolution(), name: "d")
      _ = small.add(.rearrange(.crop), [padded, x], name: "crop")
      try small.expectAgreement(input: [2, 3] + size, "cropped \(size)")
      _ = small.add(.rearrange(.pixel(3)), [back], name: "pixel")
      try small.expectAgreement(input: [2, 3] + size, "one of \(size)")
    }
  }

  @Test(arguments: [[3, 3], [5, 2], [1, 7]]) func positionsAreInterpolatedForOtherPictures(size: [Int]) throws {
    var small = SmallGraph()
    let x = small.convolve(small.graph.input, from: 3, to: 20, kernel: 1, Convolution(), name: "c")
    _ = small.add(
      .tokens, [x, small.parameter("class", [1, 1, 20]), small.parameter("positions", [1, 10, 20])], name: "tokens")
    try small.expectAgreement(input: [2, 3] + size, "\(size)")
  }

  @Test func interpolatedPositionsGiveTorchvisionsLogits() throws {
    let network = try TinyNetwork("vit")
    let input = FloatTensor(shape: [1, 3, 40, 40], values: try network.values("other.input"))
    let expected = try network.values("other.logits")
    let found = try compile(network.graph, weights: network.weights, inputShape: input.shape).run(input)[0].values()
    let largest = expected.map(abs).max() ?? 0
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-5 * largest) }
  }

  @Test func whatDependsOnParametersAloneIsFolded() throws {
    let network = try TinyNetwork("swin_v2")
    let folded = try Network(graph: network.graph, weights: network.weights).foldingConstants()
    #expect(folded.graph.nodes.allSatisfy { !$0.name.contains("cpb_mlp") })
    #expect(folded.graph.parameters.allSatisfy { !$0.name.contains("relative_coords_table") })
  }
}
