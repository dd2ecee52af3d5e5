import Foundation
import ZooCheckpoint
import ZooEngine

/// Trains whatever can be asked for gradients: epochs, the schedule, validation, the best epoch, and saving it all so
/// that nothing is lost.
///
/// The epoch of the best validation score counts; of several, the one with the lowest validation loss.
struct TrainingLoop {
  let recipe: Recipe
  let folder: RunFolder
  let phases: [TrainingPhase]
  var options = RunOptions()
  var events: (TrainingEvent) -> Void = { _ in }
  /// Asked after every step; true saves everything and ends the run with ``TrainingError/interrupted(folder:epoch:epochs:)``.
  var isInterrupted: () -> Bool = { false }

  private var epochs: Int { phases.reduce(0) { $0 + $1.epochs } }

  /// - Parameter start: where to begin: ``RunState/init(position:)`` or what an interrupted run has saved.
  /// - Throws: ``TrainingError``, whatever learners throw, `FileError`.
  func run(from start: RunState) throws -> TrainedRun {
    var state = start
    var timing = RunTiming()
    var saver = SaveTimer(interval: options.saveInterval)
    let log = try TrainingLog(path: folder.log, continuing: state.position.records)
    while state.position.phase < phases.count {
      do {
        try run(phases[state.position.phase], &state, &saver, &timing, log: log)
      } catch is StoppedEarly {
        try save(state, &saver, &timing)
        throw TrainingError.interrupted(folder: folder.path, epoch: state.position.epoch, epochs: epochs)
      }
    }
    return TrainedRun(position: state.position, best: state.best, timing: timing)
  }

  private func run(
    _ phase: TrainingPhase, _ state: inout RunState, _ saver: inout SaveTimer, _ timing: inout RunTiming,
    log: TrainingLog
  ) throws {
    let learner = try timing.measure(\.preparing) { try phase.makeLearner(state.learnt) }
    var training = PhaseTraining(learner, recipe: recipe)
    if !state.learner.isEmpty { try training.restore(state.learner) }
    let last = phases[...state.position.phase].reduce(0) { $0 + $1.epochs }
    while state.position.epoch <= last, !hasStopped(state.position) {
      let epoch = state.position.epoch
      let batches = try phase.batches(epoch)
      let steps = (batches.count + recipe.accumulate - 1) / recipe.accumulate
      let schedule = CosineDecay(highest: phase.learningRate, steps: steps * phase.epochs)
      let before = (epoch - 1 - (last - phase.epochs)) * steps
      let seed = epochSeed(epoch, batches.count)
      learner.announce(
        batches.indices.dropFirst(state.position.step * recipe.accumulate).map {
          AnnouncedBatch(places: batches[$0], seed: seed &+ UInt64($0))
        })
      while state.position.step < steps {
        let step = state.position.step
        let outcome: PhaseTraining.Step
        do {
          outcome = try self.step(
            &training, batches, rate: schedule.rate(at: before + step), &state.position, &timing)
        } catch let error as any ReportableError {
          state.learner = training.state()
          try save(state, &saver, &timing)
          throw error
        }
        if let cause = outcome.divergence {
          try folder.markDiverged()
          throw TrainingError.diverged(folder: folder.path, epoch: epoch, step: step + 1, cause: cause)
        }
        events(.step(epoch: epoch, done: step + 1, total: steps))
        if isInterrupted() {
          state.learner = training.state()
          throw StoppedEarly()
        }
        if saver.isDue {
          state.learner = training.state()
          try save(state, &saver, &timing)
        }
      }
      let judgement = try timing.measure(\.judging) { try training.withCountingWeights { try learner.judge() } }
      let rate = schedule.rate(at: before + steps - 1)
      try finishEpoch(judgement, rate: rate, training, &state, log: log)
      // From here a run that leads nowhere begins again.
      if saver.isCheap {
        state.learner = training.state()
        try save(state, &saver, &timing)
      }
    }
    state.learnt.merge(try learner.learntWeights()) { $1 }
    state.learner = [:]
    state.position.phase = hasStopped(state.position) ? phases.count : state.position.phase + 1
  }

  /// What was saved before stays as it was where this fails.
  private func save(_ state: RunState, _ saver: inout SaveTimer, _ timing: inout RunTiming) throws {
    try saver.save { try timing.measure(\.saving) { try state.write(to: folder.state) } }
  }

  /// Of the epoch's first batch; each has a seed of its own.
  private func epochSeed(_ epoch: Int, _ batches: Int) -> UInt64 {
    recipe.seed &+ UInt64(epoch - 1) &* UInt64(batches)
  }

  private func step(
    _ training: inout PhaseTraining, _ batches: [[Int]], rate: Double, _ position: inout RunState.Position,
    _ timing: inout RunTiming
  ) throws -> PhaseTraining.Step {
    let first = position.step * recipe.accumulate
    let slice = batches[first..<min(first + recipe.accumulate, batches.count)]
    let seed = epochSeed(position.epoch, batches.count)
    let start = ContinuousClock.now
    let step = try training.step(
      slice, learningRate: rate, seed: { seed &+ UInt64($0) }, watch: &position.watch)
    timing.waiting += step.outcome.waiting
    timing.learning += (ContinuousClock.now - start).seconds - step.outcome.waiting
    position.outcome = position.outcome + step.outcome
    position.outcome.waiting = 0
    position.step += 1
    return step
  }

  private func finishEpoch(
    _ judgement: Judgement, rate: Double, _ training: PhaseTraining, _ state: inout RunState, log: TrainingLog
  ) throws {
    let outcome = state.position.outcome
    let record = EpochRecord(
      epoch: state.position.epoch, trainingLoss: outcome.loss / outcome.weight,
      trainingScore: outcome.judged > 0 ? Double(outcome.correct) / Double(outcome.judged) : nil,
      validationLoss: judgement.loss, validationScore: judgement.score, metric: judgement.metric, learningRate: rate)
    let best = state.position.records.first { $0.epoch == state.position.bestEpoch }
    let isBest = best.map { record.isBetter(than: $0) } ?? true
    if isBest {
      state.best = state.learnt
      state.best.merge(try training.withCountingWeights { try training.learner.learntWeights() }) { $1 }
      state.position.bestEpoch = record.epoch
    }
    state.position.records.append(record)
    state.position.epoch += 1
    state.position.step = 0
    state.position.outcome = StepOutcome()
    try log.append(record)
    if options.writesTensorBoard {
      // Something to look at: where it can't be written, the run goes on.
      try? TensorBoardEvents.write(
        state.position.records, to: folder.path, time: Date().timeIntervalSince1970)
    }
    events(.epoch(record, isBest: isBest))
  }

  /// Whether the last epochs have brought nothing better.
  private func hasStopped(_ position: RunState.Position) -> Bool {
    guard let patience = recipe.patience, position.bestEpoch > 0 else { return false }
    return position.epoch - 1 - position.bestEpoch >= patience
  }
}

/// What a finished run gave.
struct TrainedRun {
  let position: RunState.Position
  /// What was learnt up to the best epoch, under the network's own names.
  let best: Weights
  let timing: RunTiming

  /// Of the epoch whose weights were kept; nil where there was none.
  var bestRecord: EpochRecord? { position.records.first { $0.epoch == position.bestEpoch } }
}
