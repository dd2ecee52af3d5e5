import Foundation
import TestSupport
import Testing

@testable import ZooTraining

@Suite struct ClassLossTests {
  /// What `make_training.py` recorded of torch.
  private struct Recording: Decodable {
    let smoothing: Float
    let weights: [Float]?
    let logits: [Float]
    let targets: [Float]
    let loss: Double
    let gradient: [Float]
  }

  @Test func lossAndGradientAreTorchs() throws {
    let recordings = try JSONDecoder().decode(
      [Recording].self, from: Data(contentsOf: URL(filePath: Fixture.path("training/losses.json"))))
    #expect(recordings.count == 8)
    for recording in recordings {
      let loss = ClassLoss(classes: 4, smoothing: recording.smoothing, weights: recording.weights)
      var gradient = [Float](repeating: .nan, count: recording.logits.count)
      let outcome = loss.outcome(recording.logits, targets: recording.targets, gradient: &gradient)
      #expect(abs(outcome.loss / outcome.weight - recording.loss) < 1e-6, "\(recording)")
      for (a, b) in zip(gradient, recording.gradient) { #expect(abs(a - b) < 1e-6, "\(recording)") }
    }
  }

  @Test func rareClassesCountMore() {
    #expect(ClassLoss.balancedWeights([0, 0, 0, 1], classes: 2) == [4.0 / 6, 2])
  }
}
