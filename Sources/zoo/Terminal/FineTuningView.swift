import Foundation
import ZooCheckpoint
import ZooTraining

/// What people see of a run: a bar on standard error, a line an epoch on standard output.
final class FineTuningView {
  /// Above this many epochs only every so many, and those better than all before, have a line.
  private static let lines = 20

  private let display: DisplayOptions
  private var bar: Progress?
  private var barTitle = ""
  private var epochs = 0
  private let start = ContinuousClock.now

  init(display: DisplayOptions) { self.display = display }

  private var isSilent: Bool { display.quiet || display.json }

  func begin(_ tuning: FineTuning) {
    begin(epochs: tuning.recipe.epochs)
    guard !isSilent else { return }
    let dataset = tuning.dataset
    print(
      "\(tuning.network.name): \(tuning.recipe.whatLearns), for \(dataset.labels.count) classes: "
        + dataset.labels.prefix(10).joined(separator: ", ").escapingControlCharacters()
        + (dataset.labels.count > 10 ? ", …" : ""))
    print("\(dataset.training.count) training pictures, \(dataset.validation.count) for validation")
    let shared = dataset.sharedPictures
    if let first = shared.first {
      Terminal.note(
        "zoo: \(shared.count) of the validation pictures are training pictures too, which flatters the accuracy: "
          + "\(first.validation) = \(first.training)".escapingControlCharacters())
    }
  }

  func begin(epochs: Int) { self.epochs = epochs }

  func show(_ event: TrainingEvent) {
    switch event {
    case .features(let done, let total): advance("frozen features", done, total)
    case .step(let epoch, let done, let total):
      advance("training", (epoch - 1) * total + done, epochs * total, note: "epoch \(epoch)")
    case .epoch(let record, let isBest): line(record, isBest: isBest)
    }
  }

  func finish(_ result: FineTuned) throws {
    clear()
    SkippedPictures(result.skipped).note()
    if display.json { return print(jsonLine(Summary(result))) }
    guard !display.quiet else { return }
    let confusion = result.confusion
    print(
      "\(Terminal.bold(Quantity.percent(result.accuracy))) of the validation pictures right (\(confusion.correct) of "
        + "\(confusion.total)), epoch \(result.bestEpoch), in \(Quantity.seconds(ContinuousClock.now - start))")
    if !result.newlyInitialised.isEmpty {
      print("NEWLY INITIALISED: \(result.newlyInitialised.joined(separator: ", "))".escapingControlCharacters())
    }
    print("\(result.folder.model), \(result.folder.log), \(result.folder.report)".escapingControlCharacters())
  }

  func clear() {
    bar?.finish()
    bar = nil
  }

  private func advance(_ title: String, _ done: Int, _ total: Int, note: String = "") {
    if bar == nil || barTitle != title {
      clear()
      bar = Progress(title, total: total, quiet: isSilent)
      barTitle = title
    }
    bar?.update(done, note: note)
  }

  private func line(_ record: EpochRecord, isBest: Bool) {
    let every = max(1, (epochs + Self.lines - 1) / Self.lines)
    guard !isSilent, isBest || record.epoch % every == 0 || record.epoch == epochs else { return }
    clear()
    let digits = "\(epochs)".count
    let epoch = String(repeating: " ", count: digits - "\(record.epoch)".count) + "\(record.epoch)"
    print(
      String(
        format: "epoch %@/%d  loss %.4f  accuracy %5.1f %%  validation: loss %.4f  accuracy %5.1f %%%@", epoch, epochs,
        record.trainingLoss, record.trainingAccuracy * 100, record.validationLoss, record.validationAccuracy * 100,
        isBest ? "  best" : ""))
  }

  private struct Summary: Encodable {
    let accuracy: Double
    let bestEpoch: Int
    let epochs: Int
    let checkpoint: String
    let log: String
    let report: String
    let digest: String
    let skipped: [SkippedPicture]
    let newlyInitialised: [String]

    init(_ result: FineTuned) {
      accuracy = result.accuracy
      bestEpoch = result.bestEpoch
      epochs = result.epochs.count
      checkpoint = result.folder.model
      log = result.folder.log
      report = result.folder.report
      digest = result.checkpointDigest
      skipped = result.skipped
      newlyInitialised = result.newlyInitialised
    }
  }
}
