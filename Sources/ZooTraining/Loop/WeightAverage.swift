import ZooCheckpoint
import ZooEngine

/// An exponential moving average of the parameters and of BatchNorm's statistics: Polyak and Juditsky's averaging as
/// TensorFlow's `ExponentialMovingAverage` does it, with a decay that begins low, so that short runs have one too.
struct WeightAverage {
  private let decay: Double
  private(set) var parameters: [Float]
  private(set) var statistics: [Float]
  private var updates = 0

  init(decay: Double, of learner: any Learner) {
    self.decay = decay
    parameters = learner.parameters
    statistics = learner.statistics
  }

  mutating func update(_ newParameters: [Float], _ newStatistics: [Float]) {
    updates += 1
    let share = Float(1 - min(decay, Double(1 + updates) / Double(10 + updates)))
    Self.move(&parameters, to: newParameters, by: share)
    Self.move(&statistics, to: newStatistics, by: share)
  }

  private static func move(_ average: inout [Float], to values: [Float], by share: Float) {
    average.withUnsafeMutableBufferPointer { average in
      values.withUnsafeBufferPointer { values in
        for index in average.indices { average[index] += (values[index] - average[index]) * share }
      }
    }
  }

  func state() -> Weights {
    [
      "average": FloatTensor(parameters), "averageStatistics": FloatTensor(statistics),
      "averages": FloatTensor([Float(updates)]),
    ]
  }

  mutating func restore(_ state: Weights) throws {
    parameters = try state.values("average", count: parameters.count)
    statistics = try state.values("averageStatistics", count: statistics.count)
    updates = Int(try state.values("averages", count: 1)[0])
  }
}
