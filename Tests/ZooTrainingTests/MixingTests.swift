import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooTraining

@Suite struct MixingTests {
  /// What `make_training.py` recorded of torchvision.
  private struct Recording: Decodable {
    struct Batch: Decodable {
      let share: Double
      /// Left, top, right, bottom.
      let box: [Int]?
      let inputs: [Float]
      let mixed: [Float]
      let targets: [Float]
    }
    let mixup: [Batch]
    let cutmix: [Batch]
  }

  private func recording() throws -> Recording {
    try JSONDecoder().decode(
      Recording.self, from: Data(contentsOf: URL(filePath: Fixture.path("training/mixing.json"))))
  }

  private func expectSame(_ found: [Float], _ expected: [Float]) {
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func batchesAreMixedAsTorchvisionDoes() throws {
    let recording = try recording()
    let oneHot: [Float] = [1, 0, 0, 0, 0, 1, 0, 1, 0]
    for batch in recording.mixup + recording.cutmix {
      var (inputs, targets) = (batch.inputs, oneHot)
      if let box = batch.box {
        Mixing.cut(&inputs, box: (rows: box[1]..<box[3], columns: box[0]..<box[2]), shape: [2, 6, 8])
      } else {
        Mixing.mix(&inputs, share: Float(batch.share), rows: 3)
      }
      Mixing.mix(&targets, share: Float(batch.share), rows: 3)
      expectSame(inputs, batch.mixed)
      expectSame(targets, batch.targets)
    }
  }

  @Test func targetsFollowThePartThatIsLeft() {
    for seed in 0..<50 {
      var batch = TrainingBatch(
        inputs: [Float](repeating: 1, count: 48) + [Float](repeating: 0, count: 48), targets: [1, 0, 0, 1])
      Mixing(cutmix: 1).apply(to: &batch, shape: [1, 6, 8], seed: UInt64(seed))
      let left = batch.inputs[..<48].reduce(0, +) / 48
      #expect(abs(batch.targets[0] - left) < 1e-6 && abs(batch.targets[1] + left - 1) < 1e-6)
    }
  }

  /// Mean and variance of the Beta distribution are 1/2 and 1 / (4 (2a + 1)).
  @Test(arguments: [0.2, 1, 5]) func sharesAreOfTheBetaDistribution(parameter: Double) {
    var random = SeededGenerator(seed: 11)
    let drawn = (0..<20_000).map { _ in random.beta(parameter) }
    let mean = drawn.reduce(0, +) / 20_000
    let variance = drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean - 0.5) < 0.01 && abs(variance * 4 * (2 * parameter + 1) - 1) < 0.05)
  }
}
