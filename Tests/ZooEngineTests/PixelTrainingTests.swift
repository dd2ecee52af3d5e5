import TestSupport
import Testing
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// A class for each pixel, held to what `make_pixel_training.py` recorded of torch.
@Suite struct PixelTrainingTests {
  private func truth(_ name: String, of tensors: (String) throws -> [Float]) throws -> [UInt8] {
    try tensors(name).map { UInt8($0) }
  }

  @Test(arguments: ["plain", "weighted", "smooth", "both"]) func theLossAndItsGradientEqualTorchs(kind: String) throws {
    let tensors = try Checkpoint.open(path: Fixture.path("pixel_training/loss.safetensors")).stateDict
    func values(_ name: String) throws -> [Float] { try #require(tensors[name]).floats() }
    let (logits, truth) = (try values("logits"), try truth("truth", of: values))
    let loss = PixelCrossEntropy(
      classes: 7, smoothing: ["smooth", "both"].contains(kind) ? 0.2 : 0,
      weights: ["weighted", "both"].contains(kind) ? try values("weights") : nil)
    var gradient = [Float](repeating: .nan, count: logits.count)
    var likeliest = [UInt8](repeating: 9, count: truth.count)
    let outcome = try logits.withUnsafeBufferPointer { logits in
      try gradient.withUnsafeMutableBufferPointer { gradient in
        try likeliest.withUnsafeMutableBufferPointer {
          try loss.loss(logits, truth: truth, pictures: 3, gradient: gradient, likeliest: $0)
        }
      }
    }
    let expected = Double(try values("\(kind).loss")[0])
    #expect(abs(outcome.loss / outcome.weight - expected) <= 1e-6 * expected)
    let slopes = try values("\(kind).gradient")
    let largest = slopes.map(abs).max() ?? 0
    #expect(zip(gradient, slopes).allSatisfy { abs($0 - $1) <= 2e-6 * largest })
    #expect(outcome.counted == truth.count { $0 != 255 })
    for pixel in 0..<99 {
      let column = (0..<7).map { logits[$0 * 99 + pixel] }
      #expect(column[Int(likeliest[pixel])] == column.max())
    }
    #expect(outcome.correct == zip(truth, likeliest).count { $0 == $1 })
  }

  @Test func pixelsThatAreAllIgnoredMoveNothing() throws {
    let logits: [Float] = [1, 2, 3, 4]
    var gradient: [Float] = [9, 9, 9, 9]
    let outcome = try logits.withUnsafeBufferPointer { logits in
      try gradient.withUnsafeMutableBufferPointer {
        try PixelCrossEntropy(classes: 2).loss(logits, truth: [255, 255], pictures: 1, gradient: $0)
      }
    }
    #expect(outcome == .init() && gradient == [0, 0, 0, 0])
  }

  @Test func aClassThatIsNoneIsRefused() throws {
    let logits: [Float] = [1, 2, 3, 4]
    #expect(throws: EngineError.self) {
      try logits.withUnsafeBufferPointer { try PixelCrossEntropy(classes: 2).loss($0, truth: [0, 2], pictures: 1) }
    }
    #expect(throws: EngineError.self) {
      try logits.withUnsafeBufferPointer { try PixelCrossEntropy(classes: 2).loss($0, truth: [0], pictures: 1) }
    }
  }

  @Test(arguments: ["fcn", "deeplabv3", "lraspp"], [false, true])
  func gradientsEqualTorchs(name: String, batchStatistics: Bool) throws {
    let network = try TinyNetwork(name, folder: "pixel_training")
    let used = Set(network.graph.nodes.flatMap(\.inputs))
    let trainable = Set(network.graph.parameters.filter { !$0.isBuffer && used.contains($0.value) }.map(\.name))
    let plan = try TrainingPlan(
      graph: network.graph, weights: network.weights, trainable: trainable,
      inputShape: Array(network.input.shape.dropFirst()),
      options: TrainingOptions(threads: 2, dropsOut: false, batchStatistics: batchStatistics ? network.norms : []))
    let kind = batchStatistics ? "batch" : "frozen"
    let truth = try truth("truth", of: network.values)
    let loss = PixelCrossEntropy(
      classes: 5, smoothing: batchStatistics ? 0.1 : 0, weights: try network.values("weights"))
    let step = try network.input.withValues { input in
      try plan.step(input, batch: 4) { logits, classes, gradient in
        #expect(classes == 5)
        let outcome = try logits.withUnsafeBufferPointer { logits in
          try gradient.withUnsafeMutableBufferPointer {
            try loss.loss(logits, truth: truth, pictures: 4, gradient: $0)
          }
        }
        return outcome.loss / outcome.weight
      }
    }
    let expected = Double(try network.values("loss.\(kind)")[0])
    #expect(abs(step.loss - expected) <= 1e-5 * expected)
    // DeepLab's pyramid normalises four means, whose statistics magnify rounding: torch's own float32 is 2.7e-3 away.
    let bound = batchStatistics ? (name == "deeplabv3" ? 4e-3 : 2e-3) : 1e-3
    let floor = 1e-3 * Double(plan.gradients.map(abs).max() ?? 0)
    for slice in plan.layout.slices where trainable.contains(slice.name) {
      let expected = try network.values("\(kind).\(slice.name)")
      let difference = relativeDifference(plan.gradients[slice.range], expected, floor: floor)
      #expect(difference <= bound, "\(slice.name) differs by \(difference)")
    }
  }

  @Test func labelsOfWholePicturesDontFitPixels() throws {
    let network = try TinyNetwork("fcn", folder: "pixel_training")
    let plan = try TrainingPlan(
      graph: network.graph, weights: network.weights, trainable: ["classifier.4.weight"],
      inputShape: Array(network.input.shape.dropFirst()))
    #expect(throws: EngineError.self) { try network.input.withValues { try plan.step($0, labels: [0, 1, 2, 3]) } }
  }
}
