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
    var channels = 20
    var side = 9
    var testDescription: String { "kernel \(kernel), stride \(stride), \(channels) channels, side \(side)" }
  }

  static let cases = [
    Case(kernel: 5, stride: 1), Case(kernel: 5, stride: 2), Case(kernel: 5, stride: 2, side: 8),
    Case(kernel: 7, stride: 1), Case(kernel: 5, stride: 1, channels: 64, side: 3), Case(kernel: 3, stride: 1),
    Case(kernel: 17, stride: 1),
  ]
  private static let (pictures, classes) = (3, 4)

  @Test(arguments: cases)
  func gradientIsTheSumOverPicturesAndPixels(_ test: Case) throws {
    let (channels, side) = (test.channels, test.side)
    let rows = (side + test.stride - 1) / test.stride
    var builder = GraphBuilder()
    builder.beginStage("all")
    let pictures = builder.convolution(
      "depthwise", builder.input, from: channels, to: channels, kernel: test.kernel, stride: test.stride,
      padding: .same, groups: channels, bias: true)
    let logits = builder.linear(
      "head", builder.flatten(pictures), from: channels * rows * rows, to: Self.classes, bias: false)
    let graph = builder.finish(outputs: [logits])
    var random = SeededGenerator(seed: 5)
    var weights = Weights()
    for parameter in graph.parameters {
      let values = (0..<parameter.shape.reduce(1, *)).map { _ in Float(random.normal() * 0.1) }
      weights[parameter.name] = FloatTensor(shape: parameter.shape, values: values)
    }
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
    let expected = try sums(test, input: input, slopes: slopes, head: try #require(weights["head.weight"]).values())
    for (name, values) in [("depthwise.weight", expected.weight), ("depthwise.bias", expected.bias)] {
      let slice = try #require(plan.layout.slices.first { $0.name == name })
      let difference = relativeDifference(plan.gradients[slice.range], values)
      #expect(difference <= 1e-5, "\(name) differs by \(difference)")
    }
  }

  private func sums(
    _ test: Case, input: [Float], slopes: [Float], head: [Float]
  ) throws -> (weight: [Float], bias: [Float]) {
    let (channels, side, kernel) = (test.channels, test.side, test.kernel)
    let rows = (side + test.stride - 1) / test.stride
    let before = max((rows - 1) * test.stride + kernel - side, 0) / 2
    let features = channels * rows * rows
    var weight = [Double](repeating: 0, count: channels * kernel * kernel)
    var bias = [Double](repeating: 0, count: channels)
    for picture in 0..<Self.pictures {
      for feature in 0..<features {
        let (channel, row, column) = (feature / (rows * rows), feature / rows % rows, feature % rows)
        let slope = (0..<Self.classes).reduce(0.0) {
          $0 + Double(slopes[picture * Self.classes + $1]) * Double(head[$1 * features + feature])
        }
        bias[channel] += slope
        for place in 0..<kernel * kernel {
          let y = row * test.stride + place / kernel - before
          let x = column * test.stride + place % kernel - before
          guard (0..<side).contains(y), (0..<side).contains(x) else { continue }
          let value = input[((picture * channels + channel) * side + y) * side + x]
          weight[channel * kernel * kernel + place] += slope * Double(value)
        }
      }
    }
    return (weight.map { Float($0) }, bias.map { Float($0) })
  }
}
