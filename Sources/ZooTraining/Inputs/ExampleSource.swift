import ZooCheckpoint
import ZooEngine

/// Where a learner's batches come from: what the trained part of a network takes, and the targets.
protocol ExampleSource: AnyObject {
  /// Of one example's input.
  var shape: [Int] { get }
  /// Says which batches come next, so that they can be made ahead.
  func announce(_ batches: [AnnouncedBatch])
  /// - Parameter seed: of what is random in the batch.
  /// - Throws: `EngineError`, ``TrainingError/unreadablePicture(file:reason:)``.
  func batch(_ places: [Int], seed: UInt64) throws -> TrainingBatch
}

struct TrainingBatch {
  /// [N] + the source's shape.
  var inputs: [Float]
  /// [N, outputs].
  var targets: [Float]
  /// Seconds that it was waited for.
  var waiting = 0.0
}

/// What a network is to say of each example.
struct TargetRows: Sendable {
  private let columns: Int
  private let values: [Float]

  init(_ examples: [Example], _ objective: any Objective) {
    columns = objective.outputs
    values = objective.targets(examples)
  }

  /// [places, outputs].
  func rows(_ places: [Int]) -> [Float] { places.flatMap { values[$0 * columns..<($0 + 1) * columns] } }
}

/// The same features each time, or those of one of several views, which the seed chooses.
final class FixedFeatures: ExampleSource {
  let shape: [Int]
  private let views: [[FloatTensor]]
  private let targets: TargetRows
  private let mixing: Mixing

  /// - Parameter views: the examples' features, one list a view.
  init(views: [[FloatTensor]], targets: TargetRows, mixing: Mixing) {
    self.views = views
    self.targets = targets
    self.mixing = mixing
    shape = views.first?.first?.shape ?? []
  }

  func announce(_ batches: [AnnouncedBatch]) {}

  func batch(_ places: [Int], seed: UInt64) throws -> TrainingBatch {
    var random = SeededGenerator(seed: seed, 1)
    let chosen = places.map { views[views.count == 1 ? 0 : Int(random.next() % UInt64(views.count))][$0] }
    var batch = TrainingBatch(
      inputs: try FloatTensor.joined(chosen, count: shape.reduce(1, *)),
      targets: targets.rows(places))
    mixing.apply(to: &batch, shape: shape, seed: seed)
    return batch
  }
}
