import Foundation
import ZooCheckpoint

/// Where a run writes: the checkpoint, the log, the report, and while it isn't finished its state.
public struct RunFolder: Sendable {
  public let path: String
  public var model: String { path + "/model.safetensors" }
  public var log: String { path + "/log.jsonl" }
  public var report: String { path + "/report.html" }
  public var state: String { path + "/state.safetensors" }
  public var rates: String { path + "/rates.html" }
  /// What a run of changes of low rank leaves instead of the checkpoint where they are kept apart.
  public var adapter: AdapterFolder { AdapterFolder(path: path + "/adapter") }
  private var lock: String { path + "/.lock" }

  public init(path: String) { self.path = path }

  /// Makes the folder, and refuses one that holds a run unless told what to do with it.
  ///
  /// - Throws: ``TrainingError``, `FileError`.
  public func prepare(resume: Bool, force: Bool) throws {
    let files = FileManager.default
    let isFinished = files.fileExists(atPath: result)
    if resume {
      guard files.fileExists(atPath: state) else {
        throw isFinished
          ? TrainingError.alreadyFinished(folder: path) : TrainingError.nothingToResume(folder: path)
      }
      return
    }
    if !force {
      if files.fileExists(atPath: state) { throw TrainingError.runUnfinished(folder: path) }
      if isFinished { throw TrainingError.runExists(folder: path) }
    }
    try Folder.make(path)
  }

  /// What a finished run has left: the checkpoint, or the adapter's weights.
  var result: String { FileManager.default.fileExists(atPath: adapter.weights) ? adapter.weights : model }

  /// Writes the checkpoint; an adapter of an earlier run goes.
  ///
  /// - Throws: `FileError`, `TensorError`.
  func write(_ stateDict: StateDict, _ metadata: CheckpointMetadata) throws -> WrittenCheckpoint {
    let written = try CheckpointWriter.write(stateDict, metadata: metadata, to: model, overwrite: true)
    adapter.remove()
    return written
  }

  /// Runs `body` with the state to train from while other processes are kept out; afterwards nothing is left to resume.
  ///
  /// - Parameters:
  ///   - resume: goes on with the interrupted run.
  ///   - force: replaces a run.
  /// - Throws: ``TrainingError``, `FileError`, and what `body` throws.
  func run<Result>(
    _ identity: RunState.Identity, resume: Bool, force: Bool, _ body: (RunState) throws -> Result
  ) throws -> Result {
    try prepare(resume: resume, force: force)
    let held = try hold()
    defer { withExtendedLifetime(held) {} }
    let result = try body(begin(identity, resume: resume))
    finish()
    return result
  }

  /// The state to train from, saved already, so that a process that is killed from here on can be resumed.
  ///
  /// - Throws: ``TrainingError``, `FileError`.
  func begin(_ identity: RunState.Identity, resume: Bool) throws -> RunState {
    removeLeftovers()
    guard resume else {
      let state = RunState(position: .init(identity: identity))
      try state.write(to: self.state)
      return state
    }
    var state = try RunState.read(from: self.state)
    try state.adopt(identity, folder: path)
    return state
  }

  /// Notes in what was saved last that the run led nowhere from there.
  func markDiverged() throws {
    var state = try RunState.read(from: self.state)
    state.position.hasDiverged = true
    try state.write(to: self.state)
  }

  /// Held while a process works here.
  ///
  /// - Throws: ``TrainingError/inUse(folder:)`` where another one does.
  func hold() throws -> FileLock {
    guard let held = FileLock.ifFree(path: lock) else { throw TrainingError.inUse(folder: path) }
    return held
  }

  /// The run is whole: nothing is left to resume.
  func finish() {
    unlink(state)
    unlink(lock)
  }

  /// Unfinished files of a process that was killed; nobody else works here.
  private func removeLeftovers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name.hasPrefix(".") && name.hasSuffix(".partial") {
      unlink("\(path)/\(name)")
    }
  }
}
