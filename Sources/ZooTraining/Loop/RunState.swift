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
    /// Place among the phases.
    var phase = 0
    /// The epoch that is going on, from 1.
    var epoch = 1
    /// Steps of it that are done.
    var step = 0
    /// Summed over them.
    var outcome = StepOutcome()
    var watch = LossWatch()
    var records: [EpochRecord] = []
    var bestEpoch = 0
    /// Whether it led nowhere after this was saved, so that it may go on with other steps.
    var hasDiverged = false
  }

  var position: Position
  /// The going phase's ``PhaseTraining/state()``; empty before its first step.
  var learner: Weights = [:]
  /// What earlier phases have learnt, under the network's names.
  var learnt: Weights = [:]
  /// What was learnt up to the best epoch.
  var best: Weights = [:]

  private static let key = "run"
  private static let parts: [(prefix: String, part: WritableKeyPath<RunState, Weights> & Sendable)] = [
    ("now.", \.learner), ("learnt.", \.learnt), ("best.", \.best),
  ]

  init(position: Position) { self.position = position }

  /// - Throws: `FileError`, `TensorError`.
  func write(to path: String) throws {
    var stateDict = StateDict()
    for (prefix, part) in Self.parts {
      let weights = self[keyPath: part]
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
    else { throw TrainingError.unreadableState(file: path) }
    var state = RunState(position: position)
    for (name, tensor) in checkpoint.stateDict.tensors {
      // A copy, since the file is replaced while the run goes on.
      let values = FloatTensor(shape: tensor.shape, values: try tensor.floats())
      for (prefix, part) in Self.parts where name.hasPrefix(prefix) {
        state[keyPath: part][String(name.dropFirst(prefix.count))] = values
      }
    }
    return state
  }

  /// Takes the recipe that a run which led nowhere goes on with; every other run goes on with its own.
  ///
  /// - Throws: ``TrainingError/otherRun(folder:what:then:now:)``.
  mutating func adopt(_ now: Identity, folder: String) throws(TrainingError) {
    if position.hasDiverged {
      position.identity.recipe.learningRate = now.recipe.learningRate
      position.identity.recipe.clip = now.recipe.clip
    }
    let then = position.identity
    func differ(_ what: String, _ a: some Equatable, _ b: some Equatable) -> TrainingError {
      .otherRun(folder: folder, what: what, then: "\(a)", now: "\(b)")
    }
    if then.model != now.model { throw differ("the model", then.model.prefix(12), now.model.prefix(12)) }
    if then.data != now.data { throw differ("the data", then.data.prefix(12), now.data.prefix(12)) }
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
