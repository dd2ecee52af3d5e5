import Foundation

/// Writes TensorBoard's file after each epoch. It is something to look at: where it can't be written, the run goes on.
final class RunCurves {
  private let folder: String?
  private var records: [EpochRecord]

  /// - Parameter folder: nil writes nothing.
  init(folder: String?, records: [EpochRecord]) {
    self.folder = folder
    self.records = records
  }

  func note(_ event: TrainingEvent) {
    guard let folder, case .epoch(let record, _) = event else { return }
    records.append(record)
    try? TensorBoardEvents.write(records, to: folder, time: Date().timeIntervalSince1970)
  }
}
