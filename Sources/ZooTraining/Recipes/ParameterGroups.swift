import Foundation
import ZooEngine
import ZooGraph

/// Which parameters learn, and at what part of the learning rate: the one place that decides it.
package struct ParameterGroups {
  /// Pretrained layers are nearly right already: a tenth of the head's rate, as is usual where a network is fine-tuned.
  private static let pretrainedFactor: Float = 0.1
  /// Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018, section 3.2: each layer
  /// learns 2.6 times slower than the one above it.
  private static let stagedFactor: Float = 1 / 2.6

  /// Times the learning rate, by the names of those that learn.
  let factors: [String: Float]
  /// The first stage that has something to learn.
  let firstStage: Int

  package var trainable: Set<String> { Set(factors.keys) }

  /// - Parameters:
  ///   - graph: the whole network, cut nowhere.
  ///   - head: names of the newly initialised parameters.
  ///   - unfrozen: stages that learn besides the head, counted from the last.
  /// - Throws: ``TrainingError/tooManyStages(asked:stages:)``, ``TrainingError/noSuchParameter(flag:pattern:names:)``,
  ///   ``TrainingError/frozenHead(pattern:name:)``.
  package init(graph: Graph, recipe: Recipe, head: Set<String>, unfrozen: Int) throws(TrainingError) {
    let last = graph.stages.count - 1
    guard (0...max(last, 0)).contains(unfrozen) else {
      throw .tooManyStages(asked: unfrozen, stages: graph.stages.dropLast())
    }
    let names = graph.parameters.filter { !$0.isBuffer }.map(\.name)
    for (flag, patterns) in [("--unfreeze", recipe.unfrozenNames), ("--freeze", recipe.frozenNames)] {
      for pattern in patterns where !names.contains(where: { Self.matches($0, pattern) }) {
        throw .noSuchParameter(flag: flag, pattern: pattern, names: names)
      }
    }
    let stages = Self.stages(of: graph)
    var factors: [String: Float] = [:]
    var first = last
    for name in names {
      let stage = stages[name] ?? last
      let isHead = head.contains(name)
      if let pattern = recipe.frozenNames.first(where: { Self.matches(name, $0) }) {
        guard !isHead else { throw .frozenHead(pattern: pattern, name: name) }
        continue
      }
      let isThawed = unfrozen > 0 && stage >= last - unfrozen
      guard isHead || isThawed || recipe.unfrozenNames.contains(where: { Self.matches(name, $0) }) else { continue }
      factors[name] = Self.factor(recipe.kind, distance: isHead ? 0 : max(last - stage, 1))
      first = min(first, stage)
    }
    self.factors = factors
    firstStage = first
  }

  /// As a shell's patterns match, with dots like any other character.
  static func matches(_ name: String, _ pattern: String) -> Bool { fnmatch(pattern, name, 0) == 0 }

  /// - Parameter distance: stages between the parameter and the head, whose own is 0.
  private static func factor(_ kind: Recipe.Kind, distance: Int) -> Float {
    switch kind {
    case .scratch: 1
    case _ where distance == 0: 1
    case .staged: (0..<distance).reduce(1) { factor, _ in factor * stagedFactor }
    case .head, .mlp, .lastN, .full: pretrainedFactor
    }
  }

  /// The first stage that uses each parameter.
  private static func stages(of graph: Graph) -> [String: Int] {
    let parameters = graph.parametersByValue
    var stages: [String: Int] = [:]
    for node in graph.nodes {
      for input in node.inputs {
        guard let name = parameters[input]?.name else { continue }
        stages[name] = min(stages[name] ?? node.stage, node.stage)
      }
    }
    return stages
  }

  /// Those of the buffer's slices that learn; biases and normalisations keep out of weight decay.
  package func groups(of layout: ParameterLayout) -> [GradientDescent.Group] {
    layout.slices.compactMap { slice in
      factors[slice.name].map { .init(range: slice.range, isDecayed: slice.shape.count > 1, factor: $0) }
    }
  }
}
