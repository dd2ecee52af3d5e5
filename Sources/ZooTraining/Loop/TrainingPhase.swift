import ZooCheckpoint
import ZooEngine

/// A stretch of a run in which the same parameters learn; most runs have one.
struct TrainingPhase {
  var epochs: Int
  /// The highest rate of the phase.
  var learningRate: Double
  /// The batches of an epoch, counted from 1 over the whole run: places among the training examples. Every epoch of a
  /// phase has as many.
  var batches: (_ epoch: Int) throws -> [[Int]]
  /// Makes what learns, once the phase begins or goes on; `learnt` is what earlier phases gave, under the network's
  /// names. It may throw ``StoppedEarly`` where the user has asked to stop.
  var makeLearner: (_ learnt: Weights) throws -> any Learner
}

/// The user has asked to stop.
struct StoppedEarly: Error {}

/// How the examples of an epoch become batches.
enum EpochBatches {
  /// All examples in an order that seed and epoch decide, cut into slices; the last may be smaller.
  static func shuffled(count: Int, size: Int, seed: UInt64) -> (_ epoch: Int) -> [[Int]] {
    { epoch in
      var shuffling = SeededGenerator(seed: seed, epoch)
      let order = shuffling.permutation(count)
      return stride(from: 0, to: count, by: size).map { Array(order[$0..<min($0 + size, count)]) }
    }
  }
}
