import Foundation
import ZooCheckpoint
import ZooVision

/// What pictures become for their batches, made ahead on threads of the lowest priority, in the order that was announced.
final class PicturesAhead<Made: Sendable> {
  private let examples: [any PicturedExample]
  private let threads: Int
  private let make: @Sendable (Int, UInt64) throws -> Made
  private var announced: [AnnouncedBatch] = []
  private var loader: WorkAhead<Job, Result<Made, any Error>>?

  private struct Job: Sendable {
    let example: Int
    let seed: UInt64
  }

  /// - Parameters:
  ///   - threads: nil for one a core.
  ///   - make: gets an example, and the seed of what is random about it.
  init<Item: PicturedExample>(
    _ examples: [Item], threads: Int?, make: @escaping @Sendable (_ example: Item, _ seed: UInt64) throws -> Made
  ) {
    self.examples = examples
    self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    self.make = { try make(examples[$0], $1) }
  }

  func announce(_ batches: [AnnouncedBatch]) {
    loader?.cancel()
    announced = batches
    let jobs = batches.flatMap { batch in
      batch.places.enumerated().map { place, example in
        Job(example: example, seed: SeededGenerator.seed(batch.seed, place))
      }
    }
    let largest = batches.map(\.places.count).max() ?? 1
    // Twice a batch ahead is enough to keep the engine busy, and little memory.
    loader = WorkAhead(jobs, threads: threads, prefetch: 2 * largest, isYielding: true) { [make] job in
      Result { try make(job.example, job.seed) }
    }
  }

  /// - Returns: a batch's, and the seconds that it was waited for.
  /// - Throws: ``StoppedEarly``, ``TrainingError/unreadablePicture(file:reason:)``.
  func take(_ places: [Int], seed: UInt64) throws -> (made: [Made], waiting: Double) {
    if announced.first != AnnouncedBatch(places: places, seed: seed) {
      announce([AnnouncedBatch(places: places, seed: seed)])
    }
    announced.removeFirst()
    let start = ContinuousClock.now
    let made = try places.map { place in
      guard let loaded = loader?.next() else { throw StoppedEarly() }
      do {
        return try loaded.output.get()
      } catch let error as any ReportableError {
        throw TrainingError.unreadablePicture(file: examples[place].path, reason: error.report.problem)
      }
    }
    return (made, (ContinuousClock.now - start).seconds)
  }
}

/// An example whose picture lies in a file.
protocol PicturedExample: Sendable {
  var path: String { get }
}

extension Example: PicturedExample {}
