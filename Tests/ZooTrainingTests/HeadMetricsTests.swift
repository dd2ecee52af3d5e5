import Foundation
import TestSupport
import Testing

@testable import ZooTraining

/// Held to what `make_heads.py` recorded of torch and scikit-learn.
@Suite struct HeadMetricsTests {
  private struct Recordings: Decodable {
    struct Loss: Decodable {
      let smoothing: Float?
      let weights: [Float]?
      let columns: Int?
      let logits: [Float]
      let targets: [Float]
      let loss: Double
      let gradient: [Float]
    }
    struct LabelScores: Decodable {
      let logits: [[Float]]
      let truths: [[Int]]
      let averagePrecision: [Double?]
      let meanAveragePrecision, microF1, macroF1, exactMatch: Double
    }
    struct ValueScores: Decodable {
      let predictions: [[Double]]
      let truths: [[Double]]
      let meanAbsoluteError, rootMeanSquaredError, r2: Double
    }
    let labels: [Loss]
    let numbers: [Loss]
    let labelMetrics: [LabelScores]
    let valueMetrics: [ValueScores]

    static func read() throws -> Recordings {
      try JSONDecoder().decode(
        Recordings.self, from: Data(contentsOf: URL(filePath: Fixture.path("training/heads.json"))))
    }
  }

  private func check(_ objective: any Objective, _ recording: Recordings.Loss) {
    var gradient = [Float](repeating: .nan, count: recording.logits.count)
    let outcome = objective.outcome(recording.logits, targets: recording.targets, gradient: &gradient)
    #expect(abs(outcome.loss / outcome.weight - recording.loss) < 1e-6 * max(1, recording.loss))
    #expect(outcome.judged == 0 && outcome.weight == Double(recording.logits.count / objective.outputs))
    for (a, b) in zip(gradient, recording.gradient) { #expect(abs(a - b) < 1e-6, "\(recording)") }
  }

  @Test func lossesAndGradientsAreTorchs() throws {
    let recordings = try Recordings.read()
    #expect(recordings.labels.count == 8 && recordings.numbers.count == 2)
    for recording in recordings.labels {
      check(
        LabelLoss(outputs: 3, smoothing: recording.smoothing ?? 0, positiveWeights: recording.weights), recording)
    }
    for recording in recordings.numbers {
      check(ValueLoss(outputs: try #require(recording.columns), standardising: []), recording)
    }
  }

  @Test func labelMetricsAreScikitLearns() throws {
    let recordings = try Recordings.read().labelMetrics
    #expect(recordings.count == 4)
    for recording in recordings {
      let metrics = LabelMetrics(
        logits: recording.logits, truths: recording.truths, labels: recording.averagePrecision.count)
      for (label, expected) in zip(metrics.labels, recording.averagePrecision) {
        #expect((label.averagePrecision == nil) == (expected == nil))
        #expect(abs((label.averagePrecision ?? 0) - (expected ?? 0)) < 1e-12)
      }
      #expect(abs(metrics.meanAveragePrecision - recording.meanAveragePrecision) < 1e-12)
      #expect(abs(metrics.microF1 - recording.microF1) < 1e-12)
      #expect(abs(metrics.macroF1 - recording.macroF1) < 1e-12)
      #expect(abs(metrics.exactMatch.share - recording.exactMatch) < 1e-12)
    }
  }

  @Test func valueMetricsAreScikitLearns() throws {
    let recordings = try Recordings.read().valueMetrics
    #expect(recordings.count == 2)
    for recording in recordings {
      let metrics = ValueMetrics(predictions: recording.predictions, truths: recording.truths)
      #expect(abs(metrics.meanAbsoluteError - recording.meanAbsoluteError) < 1e-9)
      #expect(abs(metrics.rootMeanSquaredError - recording.rootMeanSquaredError) < 1e-9)
      #expect(abs(metrics.r2 - recording.r2) < 1e-9)
    }
  }

  @Test func rareLabelsCountMore() {
    #expect(LabelLoss.balancedWeights([[0], [0, 1], [0], []], labels: 3) == [1 / 3, 3, 1])
  }

  /// The log names what it holds, reads again, and the best epoch is the one with the lowest error.
  @Test func recordsNameTheirMetric() throws {
    func record(_ metric: Metric, _ score: Double) -> EpochRecord {
      EpochRecord(
        epoch: 1, trainingLoss: 1, trainingScore: nil, validationLoss: 1, validationScore: score, metric: metric,
        learningRate: 1)
    }
    for (metric, key) in [
      (Metric.accuracy, "validationAccuracy"), (.meanAveragePrecision, "validationMeanAveragePrecision"),
      (.rootMeanSquaredError, "validationRootMeanSquaredError"),
    ] {
      let data = try JSONEncoder().encode(record(metric, 0.5))
      let fields = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(fields[key] as? Double == 0.5 && fields.count == 5)
      #expect(try JSONDecoder().decode(EpochRecord.self, from: data) == record(metric, 0.5))
    }
    #expect(record(.rootMeanSquaredError, 1).isBetter(than: record(.rootMeanSquaredError, 2)))
    #expect(record(.meanAveragePrecision, 2).isBetter(than: record(.meanAveragePrecision, 1)))
    #expect(!record(.accuracy, 1).isBetter(than: record(.accuracy, 1)))
  }
}
