import ZooCheckpoint
import ZooEngine

/// The weights that the trained part of a network begins with.
struct StartingWeights {
  let network: PretrainedNetwork
  let part: TargetNetwork.Part
  let recipe: Recipe

  /// - Parameter learnt: what earlier phases of the run gave, which goes before all else.
  /// - Throws: ``TrainingError``, `EngineError`.
  func make(learnt: Weights) throws -> Weights {
    let graph = part.cut.trainable
    let weights: Weights
    if recipe.kind == .scratch {
      weights = RandomWeights.make(for: graph, seed: recipe.seed)
    } else {
      weights = try network.weights(for: graph, except: head).merging(newHead()) { $1 }
    }
    let merged = try part.parameters.lowRank.merged(learnt) { weights[$0] }
    return weights.merging(merged.filter { weights[$0.key] != nil }) { $1 }
  }

  private var head: Set<String> { part.head }

  /// The last layer begins with zeros, so that the first steps are its alone; behind a rectifier it would never learn.
  private func newHead() -> Weights {
    var weights = RandomWeights.make(for: part.cut.trainable, seed: recipe.seed).filter { head.contains($0.key) }
    guard part.cut.endsInHead else { return weights }
    for name in [part.cut.headWeight, part.cut.headBias].compactMap({ $0 }) {
      guard let shape = weights[name]?.shape else { continue }
      weights[name] = FloatTensor(shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
    }
    return weights
  }
}
