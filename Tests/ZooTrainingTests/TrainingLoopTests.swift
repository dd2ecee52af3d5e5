import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooTraining

/// The loop over a line that is fitted: no pictures, no network.
@Suite final class TrainingLoopTests {
  private let directory: TemporaryDirectory
  private let recipe: Recipe

  init() throws {
    directory = try TemporaryDirectory()
    var recipe = try Recipe(epochs: 6, batchSize: 5, learningRate: 0.1, optimizer: .adamw, seed: 4)
    (recipe.accumulate, recipe.clip, recipe.averaging) = (2, 5, 0.8)
    self.recipe = recipe
  }

  deinit { directory.remove() }

  private func phases(
    _ recipe: Recipe, learns: Bool = true, disturb: @escaping (Int) throws -> Double? = { _ in nil }
  ) -> [TrainingPhase] {
    [(4, 0.1), (2, 0.05)].map { epochs, rate in
      TrainingPhase(
        epochs: epochs, learningRate: rate * recipe.learningRate / 0.1,
        batches: EpochBatches.shuffled(count: 12, size: recipe.batchSize, seed: recipe.seed),
        makeLearner: { learnt in
          let learner = LinearLearner.make(start: try learnt["line"]?.values() ?? [0, 0, 0, 0])
          learner.disturb = disturb
          if !learns { learner.groups = [] }
          return learner
        })
    }
  }

  private func identity(_ recipe: Recipe) -> RunState.Identity { .init(recipe: recipe, model: "m", data: "d") }

  private func begin(_ name: String, _ recipe: Recipe, resume: Bool = false) throws -> (TrainingLoop, RunState) {
    let folder = RunFolder(path: directory.file(name))
    try folder.prepare(resume: resume, force: false)
    let loop = TrainingLoop(recipe: recipe, folder: folder, phases: phases(recipe))
    return (loop, try folder.begin(identity(recipe), resume: resume))
  }

  private func line(_ run: TrainedRun) throws -> [Float] { try #require(run.best["line"]).values() }

  @Test func aRunInterruptedAfterEveryStepEndsInTheSameBits() throws {
    let (whole, start) = try begin("whole", recipe)
    let expected = try whole.run(from: start)
    #expect(expected.position.records.count == 6)
    var isFirst = true
    var interruptions = 0
    while true {
      var (loop, state) = try begin("parts", recipe, resume: !isFirst)
      isFirst = false
      loop.isInterrupted = { true }
      do {
        let run = try loop.run(from: state)
        #expect(try line(run) == line(expected))
        #expect(run.position.records == expected.position.records)
        break
      } catch TrainingError.interrupted(_, _, let epochs) {
        #expect(epochs == 6)
        interruptions += 1
      }
    }
    // Three batches, two a step: two steps an epoch.
    #expect(interruptions == 12)
    let log = try String(contentsOfFile: directory.file("parts/log.jsonl"), encoding: .utf8)
    #expect(log.split(separator: "\n").count == 6)
  }

  @Test(arguments: [0.0, 1000])
  func aRunThatIsKilledGoesOnFromWhatWasSavedLast(interval: Double) throws {
    struct Killed: Error {}
    let (whole, start) = try begin("whole", recipe)
    let expected = try whole.run(from: start)
    for moment in 0..<18 {
      let name = "killed\(moment)"
      let (loop, state) = try begin(name, recipe)
      var batches = 0
      var dying = TrainingLoop(
        recipe: recipe, folder: loop.folder,
        phases: phases(recipe) { _ in
          batches += 1
          if batches > moment { throw Killed() }
          return nil
        })
      dying.options.saveInterval = interval
      #expect(throws: Killed.self) { try dying.run(from: state) }
      let (resumed, saved) = try begin(name, recipe, resume: true)
      // Two steps an epoch, of two batches and of one.
      let steps = (saved.position.epoch - 1) * 2 + saved.position.step
      if interval == 0 { #expect(steps == moment / 3 * 2 + (moment % 3 == 2 ? 1 : 0)) }
      #expect(try line(resumed.run(from: saved)) == line(expected))
    }
  }

  @Test func theBestEpochIsKeptWithItsWeights() throws {
    let (loop, start) = try begin("run", recipe)
    let run = try loop.run(from: start)
    let records = run.position.records
    let best = try #require(
      records.max { ($0.validationScore, -$0.validationLoss) < ($1.validationScore, -$1.validationLoss) })
    #expect(run.position.bestEpoch == best.epoch)
    let learner = LinearLearner.make(start: try line(run))
    #expect(learner.judge() == Judgement(loss: best.validationLoss, score: best.validationScore))
  }

  @Test func patienceEndsTheRun() throws {
    var hasty = recipe
    hasty.patience = 2
    let (loop, start) = try begin("run", hasty)
    // Nothing moves, so that no epoch is better than the first; the second phase doesn't begin.
    let still = TrainingLoop(recipe: hasty, folder: loop.folder, phases: phases(hasty, learns: false))
    #expect(try still.run(from: start).position.records.count == 3)
  }

  @Test(arguments: [Double.nan, .infinity, 1e9])
  func aLossThatLeadsNowhereStopsTheRunAndTheStateIsKept(loss: Double) throws {
    let (loop, start) = try begin("run", recipe)
    let bad = TrainingLoop(
      recipe: recipe, folder: loop.folder, phases: phases(recipe) { $0 == 7 ? loss : nil })
    #expect {
      try bad.run(from: start)
    } throws: { error in
      guard case TrainingError.diverged(_, 3, 1, let cause) = error else { return false }
      if case .lossExplodes(let found, _, _) = cause { return found > 1e6 }
      return cause == .lossIsNoNumber
    }
    var slower = recipe
    slower.learningRate = 0.01
    let saved = try loop.folder.begin(identity(slower), resume: true)
    #expect(
      saved.position.epoch <= 3
        && saved.learner.values.allSatisfy { (try? $0.values().allSatisfy(\.isFinite)) ?? false })
    let resumed = TrainingLoop(recipe: slower, folder: loop.folder, phases: phases(slower))
    let losses = try resumed.run(from: saved).position.records.map(\.validationLoss)
    #expect(losses.count == 6 && losses.allSatisfy(\.isFinite))
  }

  @Test func aGradientThatIsNoNumberIsNamed() {
    var watch = LossWatch()
    #expect(watch.notice(loss: 1, gradientNorm: 2) == nil)
    #expect(watch.notice(loss: 1, gradientNorm: .infinity) == .gradientIsNoNumber(loss: 1))
    for _ in 0..<50 { #expect(watch.notice(loss: 90, gradientNorm: 2) == nil) }
  }

  @Test func anotherProcessIsKeptOut() throws {
    let (loop, _) = try begin("run", recipe)
    let held = try loop.folder.hold()
    #expect(throws: TrainingError.inUse(folder: loop.folder.path)) { try loop.folder.hold() }
    withExtendedLifetime(held) {}
  }

  @Test func unfinishedFilesOfAKilledProcessGoAway() throws {
    let (loop, _) = try begin("run", recipe)
    let left = loop.folder.path + "/.state.safetensors.1-2.partial"
    try Data("x".utf8).write(to: URL(filePath: left))
    _ = try begin("run", recipe, resume: true)
    #expect(!FileManager.default.fileExists(atPath: left))
  }

  /// Steps of plain gradient descent on x² / 2 shrink x by 1 - rate, and it explodes beyond 2.
  @Test func theSuggestedRateLiesOnTheWayDown() throws {
    var x = 1.0
    let search = RateSearch { _, rate in
      defer { x *= 1 - rate }
      return x * x / 2 + 0.01
    }
    let suggestion = try #require(search.suggestion)
    #expect((1e-3...1).contains(suggestion))
    #expect(search.points.count > 80)
    #expect(RateSearch { _, _ in 1 }.suggestion == nil)
  }
}
