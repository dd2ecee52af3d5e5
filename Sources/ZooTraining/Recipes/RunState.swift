import Foundation
import ZooCheckpoint
import ZooEngine

/// All that an unfinished run needs to go on exactly: `state.safetensors`.
struct RunState {
  /// What must be the same when the run goes on.
  struct Identity: Codable, Equatable {
    var recipe: Recipe
    var model: String
    var data: String
  }

  struct Position: Codable, Equatable {
    var identity: Identity
    /// The epoch that is going on, from 1.
    var epoch = 1
    /// Steps of it that are done.
    var step = 0
    var loss = 0.0
    var correct = 0
    var records: [EpochRecord] = []
    var bestEpoch = 0
  }

  var position: Position
  /// The learner's state; empty before the first step.
  var learner: Weights = [:]
  /// The learner's state after the best epoch.
  var best: Weights = [:]

  private static let key = "run"

  /// - Throws: `FileError`, `TensorError`.
  func write(to path: String) throws {
    var stateDict = StateDict()
    for (prefix, weights) in [("now.", learner), ("best.", best)] {
      for name in weights.keys.sorted() {
        guard let tensor = weights[name] else { continue }
        stateDict[prefix + name] = try tensor.stored()
      }
    }
    var metadata = CheckpointMetadata()
    metadata.others[Self.key] = CheckpointMetadata.encode(position)
    try CheckpointWriter.write(stateDict, metadata: metadata, to: path, overwrite: true)
  }

  /// - Throws: `FileError`, `SafetensorsError`, ``TrainingError``.
  static func read(from path: String) throws -> RunState {
    let checkpoint = try Checkpoint.open(path: path)
    guard let text = checkpoint.metadata.others[key],
      let position = try? JSONDecoder().decode(Position.self, from: Data(text.utf8))
    else { throw TrainingError.nothingToResume(folder: path) }
    var state = RunState(position: position)
    for (name, tensor) in checkpoint.stateDict.tensors {
      // A copy, since the file is replaced while the run goes on.
      let values = FloatTensor(shape: tensor.shape, values: try tensor.floats())
      if name.hasPrefix("now.") { state.learner[String(name.dropFirst(4))] = values }
      if name.hasPrefix("best.") { state.best[String(name.dropFirst(5))] = values }
    }
    return state
  }

  /// - Throws: ``TrainingError/otherRun(folder:what:then:now:)``.
  func check(_ now: Identity, folder: String) throws(TrainingError) {
    let then = position.identity
    func differ(_ what: String, _ a: some Equatable, _ b: some Equatable) -> TrainingError {
      .otherRun(folder: folder, what: what, then: "\(a)", now: "\(b)")
    }
    if then.model != now.model { throw differ("the model", then.model.prefix(12), now.model.prefix(12)) }
    if then.data != now.data { throw differ("the pictures", then.data.prefix(12), now.data.prefix(12)) }
    if then.recipe != now.recipe {
      throw differ("the recipe", CheckpointMetadata.encode(then.recipe), CheckpointMetadata.encode(now.recipe))
    }
  }
}

extension FloatTensor {
  /// The values as a tensor of a state dict.
  func stored() throws -> Tensor {
    try Tensor(dtype: .float32, shape: shape, storage: MemoryStorage(copying: values()))
  }
}
