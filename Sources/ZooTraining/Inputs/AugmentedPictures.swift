import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// Pictures decoded and changed at random anew for each batch, on threads of their own, then run through the frozen part.
final class AugmentedPictures: ExampleSource {
  let shape: [Int]
  private let examples: [Example]
  private let augmenter: Augmenter
  private let targets: TargetRows
  private let mixing: Mixing
  private let frozen: Graph
  private let weights: Weights
  private let threads: Int
  private var plans: [Int: Plan] = [:]
  private var announced: [AnnouncedBatch] = []
  private var loader: WorkAhead<Job, Result<FloatTensor, any Error>>?

  private struct Job: Sendable {
    let path: String
    let seed: UInt64
  }

  /// - Parameters:
  ///   - frozen: what every picture goes through before it is learnt from; has no nodes where all learns.
  ///   - shape: of one picture behind it.
  init(
    examples: [Example], augmenter: Augmenter, frozen: Graph, weights: Weights, shape: [Int], targets: TargetRows,
    mixing: Mixing, threads: Int?
  ) {
    self.examples = examples
    self.augmenter = augmenter
    self.frozen = frozen
    self.weights = weights
    self.shape = shape
    self.targets = targets
    self.mixing = mixing
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
  }

  func announce(_ batches: [AnnouncedBatch]) {
    loader?.cancel()
    announced = batches
    let jobs = JobList(
      batches.lazy.flatMap { batch in
        batch.places.enumerated().map { place, example in
          (example: example, seed: SeededGenerator.seed(batch.seed, place))
        }
      }.map { [examples] in Job(path: examples[$0.example].path, seed: $0.seed) })
    let largest = batches.map(\.places.count).max() ?? 1
    // Twice a batch ahead is enough to keep the engine busy, and little memory.
    loader = WorkAhead(
      next: { jobs.next() }, threads: threads, prefetch: 2 * largest, isYielding: true
    ) { [augmenter] job in
      Result { try augmenter.apply(Picture.decode(path: job.path), seed: job.seed) }
    }
  }

  func batch(_ places: [Int], seed: UInt64) throws -> TrainingBatch {
    if announced.first != AnnouncedBatch(places: places, seed: seed) {
      announce([AnnouncedBatch(places: places, seed: seed)])
    }
    announced.removeFirst()
    let start = ContinuousClock.now
    let pictures = try places.map { place in
      guard let loaded = loader?.next() else { throw StoppedEarly() }
      do {
        return try loaded.output.get()
      } catch let error as any ReportableError {
        throw TrainingError.unreadablePicture(file: examples[place].path, reason: error.report.problem)
      }
    }
    let waiting = (ContinuousClock.now - start).seconds
    let size = 3 * augmenter.preprocessing.size.reduce(1, *)
    var batch = TrainingBatch(
      inputs: try FloatTensor.joined(pictures, count: size),
      targets: targets.rows(places), waiting: waiting)
    mixing.apply(to: &batch, shape: [3] + augmenter.preprocessing.size, seed: seed)
    if !frozen.nodes.isEmpty { batch.inputs = try features(batch.inputs, count: places.count) }
    return batch
  }

  private func features(_ inputs: [Float], count: Int) throws -> [Float] {
    let plan =
      try plans[count]
      ?? compile(
        frozen, weights: weights, inputShape: [count, 3] + augmenter.preprocessing.size,
        options: CompileOptions(threads: threads))
    plans[count] = plan
    var output = [Float](repeating: 0, count: count * shape.reduce(1, *))
    try inputs.withUnsafeBufferPointer { from in
      try output.withUnsafeMutableBufferPointer { try plan.run(from, into: $0) }
    }
    return output
  }

  /// What is left to prepare; one thread at a time takes from it.
  private final class JobList: @unchecked Sendable {
    private var jobs: ArraySlice<Job>

    init(_ jobs: some Sequence<Job>) { self.jobs = Array(jobs)[...] }

    func next() -> Job? { jobs.popFirst() }
  }
}

extension SeededGenerator {
  /// A seed of its own for each item of a series.
  static func seed(_ seed: UInt64, _ index: Int) -> UInt64 {
    var generator = SeededGenerator(seed: seed, index)
    return generator.next()
  }
}
