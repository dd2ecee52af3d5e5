import ZooCheckpoint
import ZooEngine

/// The weights that the trained part of a network begins with.
struct StartingWeights {
  let network: PretrainedNetwork
  let cut: NetworkCut
  let recipe: Recipe

  /// - Parameter learnt: what earlier phases of the run gave, which goes before all else.
  /// - Throws: ``TrainingError``.
  func make(learnt: Weights) throws -> Weights {
    let graph = cut.trainable
    let weights: Weights
    if recipe.kind == .scratch {
      weights = RandomWeights.make(for: graph, seed: recipe.seed)
    } else {
      weights = try network.weights(for: graph, except: head).merging(newHead()) { $1 }
    }
    return weights.merging(learnt.filter { weights[$0.key] != nil }) { $1 }
  }

  private var head: Set<String> { Set([cut.headWeight, cut.headBias].compactMap(\.self)) }

  /// Zeros, so that the first steps are the head's alone; behind a rectifier a head of zeros would never learn.
  private func newHead() -> Weights {
    let parameters = cut.trainable.parameters.filter { head.contains($0.name) }
    guard cut.endsInHead else {
      return RandomWeights.make(for: cut.trainable, seed: recipe.seed).filter { head.contains($0.key) }
    }
    return Dictionary(
      uniqueKeysWithValues: parameters.map { parameter in
        let values = [Float](repeating: 0, count: parameter.shape.reduce(1, *))
        return (parameter.name, FloatTensor(shape: parameter.shape, values: values))
      })
  }
}
