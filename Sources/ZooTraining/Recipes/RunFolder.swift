import Foundation
import ZooCheckpoint

/// Where a run writes: the checkpoint, the log, the report, and while it isn't finished its state.
public struct RunFolder: Sendable {
  public let path: String
  public var model: String { path + "/model.safetensors" }
  public var log: String { path + "/log.jsonl" }
  public var report: String { path + "/report.html" }
  public var state: String { path + "/state.safetensors" }

  public init(path: String) { self.path = path }

  /// Makes the folder, and refuses one that holds a run unless told what to do with it.
  ///
  /// - Throws: ``TrainingError``, `FileError`.
  public func prepare(resume: Bool, force: Bool) throws {
    let files = FileManager.default
    if resume {
      guard files.fileExists(atPath: state) else { throw TrainingError.nothingToResume(folder: path) }
      return
    }
    if !force {
      if files.fileExists(atPath: state) { throw TrainingError.runUnfinished(folder: path) }
      if files.fileExists(atPath: model) { throw TrainingError.runExists(folder: path) }
    }
    try Folder.make(path)
    unlink(state)
  }
}
