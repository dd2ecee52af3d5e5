import Foundation
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Windows of depthwise convolutions for which oneDNN has no kernel of its own, against sums in plain loops.
@Suite struct DepthwiseGradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let kernel: Int
    let stride: Int
    var dilation = 1
    var channels = 20
    var side = 9
    var testDescription: String {
      "kernel \(kernel), stride \(stride), dilation \(dilation), \(channels) channels, side \(side)"
    }
  }

  static let cases = [
    Case(kernel: 5, stride: 1), Case(kernel: 5, stride: 2), Case(kernel: 5, stride: 2, side: 8),
    Case(kernel: 7, stride: 1), Case(kernel: 5, stride: 1, channels: 64, side: 3), Case(kernel: 3, stride: 1),
    Case(kernel: 17, stride: 1), Case(kernel: 5, stride: 1, dilation: 2), Case(kernel: 3, stride: 1, dilation: 3),
    Case(kernel: 5, stride: 2, dilation: 2, channels: 40, side: 12),
  ]
  private static let (pictures, classes) = (3, 4)

  @Test(arguments: cases)
  func gradientIsTheSumOverPicturesAndPixels(_ test: Case) throws {
    let (channels, side) = (test.channels, test.side)
    let rows = (side + test.stride - 1) / test.stride
    var builder = GraphBuilder()
    builder.beginStage("all")
    // The gradient that reaches the input shows in this one's weights.
    let mixed = builder.convolution("mix", builder.input, from: channels, to: channels, kernel: 1)
    let pictures = builder.convolution(
      "depthwise", mixed, from: channels, to: channels, kernel: test.kernel, stride: test.stride,
      padding: .same, dilation: test.dilation, groups: channels, bias: true)
    let logits = builder.linear(
      "head", builder.flatten(pictures), from: channels * rows * rows, to: Self.classes, bias: false)
    let graph = builder.finish(outputs: [logits])
    var random = SeededGenerator(seed: 5)
    var weights = Weights()
    for parameter in graph.parameters {
      let values = (0..<parameter.shape.reduce(1, *)).map { _ in Float(random.normal() * 0.1) }
      weights[parameter.name] = FloatTensor(shape: parameter.shape, values: values)
    }
    // Nothing is mixed yet.
    weights["mix.weight"] = FloatTensor(
      shape: [channels, channels, 1, 1],
      values: (0..<channels * channels).map { $0 % (channels + 1) == 0 ? 1 : 0 })
    let input = (0..<Self.pictures * channels * side * side).map { _ in Float(random.normal()) }
    let plan = try TrainingPlan(
      graph: graph, weights: weights, trainable: Set(graph.parameters.map(\.name)),
      inputShape: [channels, side, side])
    var slopes: [Float] = []
    _ = try input.withUnsafeBufferPointer {
      try plan.step($0, batch: Self.pictures) { logits, _, gradient in
        for index in logits.indices { gradient[index] = Float(index % 5) - 2 }
        slopes = gradient
        return 0
      }
    }
    let expected = sums(
      test, input: input, slopes: slopes, head: try #require(weights["head.weight"]).values(),
      window: try #require(weights["depthwise.weight"]).values())
    for (name, values) in [
      ("depthwise.weight", expected.weight), ("depthwise.bias", expected.bias), ("mix.weight", expected.mix),
    ] {
      let slice = try #require(plan.layout.slices.first { $0.name == name })
      let difference = relativeDifference(plan.gradients[slice.range], values)
      #expect(difference <= 1e-5, "\(name) differs by \(difference)")
    }
  }

  private func sums(
    _ test: Case, input: [Float], slopes: [Float], head: [Float], window: [Float]
  ) -> (weight: [Float], bias: [Float], mix: [Float]) {
    let (channels, side, kernel) = (test.channels, test.side, test.kernel)
    let rows = (side + test.stride - 1) / test.stride
    let before = max((rows - 1) * test.stride + test.dilation * (kernel - 1) + 1 - side, 0) / 2
    let features = channels * rows * rows
    var weight = [Double](repeating: 0, count: channels * kernel * kernel)
    var bias = [Double](repeating: 0, count: channels)
    var reached = [Double](repeating: 0, count: input.count)
    for picture in 0..<Self.pictures {
      for feature in 0..<features {
        let (channel, row, column) = (feature / (rows * rows), feature / rows % rows, feature % rows)
        let slope = (0..<Self.classes).reduce(0.0) {
          $0 + Double(slopes[picture * Self.classes + $1]) * Double(head[$1 * features + feature])
        }
        bias[channel] += slope
        for place in 0..<kernel * kernel {
          let y = row * test.stride + place / kernel * test.dilation - before
          let x = column * test.stride + place % kernel * test.dilation - before
          guard (0..<side).contains(y), (0..<side).contains(x) else { continue }
          let pixel = ((picture * channels + channel) * side + y) * side + x
          weight[channel * kernel * kernel + place] += slope * Double(input[pixel])
          reached[pixel] += slope * Double(window[channel * kernel * kernel + place])
        }
      }
    }
    let mix = (0..<channels * channels).map { entry in
      (0..<Self.pictures).reduce(0.0) { sum, picture in
        let (to, from) = (picture * channels + entry / channels, picture * channels + entry % channels)
        return (0..<side * side).reduce(sum) {
          $0 + reached[to * side * side + $1] * Double(input[from * side * side + $1])
        }
      }
    }
    return (weight.map { Float($0) }, bias.map { Float($0) }, mix.map { Float($0) })
  }
}
