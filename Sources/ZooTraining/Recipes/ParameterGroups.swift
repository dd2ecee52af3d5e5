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
  /// Weights that learn by changes of low rank, which learn at the whole rate: ten times that of pretrained weights, as
  /// Schulman et al., "LoRA Without Regret", 2025, found best.
  let lowRank: LowRankFactors
  /// Modules with parameters that learn themselves.
  private let layers: Set<Substring>
  /// The first stage that has something to learn.
  let firstStage: Int

  /// Those whose gradient is wanted.
  package var trainable: Set<String> { Set(factors.keys).union(lowRank.weights.map(\.name)) }

  /// - Parameters:
  ///   - graph: the whole network, cut nowhere.
  ///   - head: names of the newly initialised parameters.
  ///   - unfrozen: stages that learn besides the head, counted from the last.
  ///   - adapts: whether changes of low rank learn too.
  /// - Throws: ``TrainingError/tooManyStages(asked:stages:)``, ``TrainingError/noSuchParameter(flag:pattern:names:)``,
  ///   ``TrainingError/frozenHead(pattern:name:)``, ``TrainingError/noSuchMatrix(pattern:names:)``.
  package init(
    graph: Graph, recipe: Recipe, head: Set<String>, unfrozen: Int, adapts: Bool = false
  ) throws(TrainingError) {
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
    layers = Set(factors.keys.map(Self.layer))
    var lowRank = LowRankFactors()
    if adapts, let settings = recipe.lowRank {
      lowRank.settings = settings
      for weight in try AdaptedWeights.choose(from: graph, settings, head: head)
      where factors[weight.name] == nil && !recipe.frozenNames.contains(where: { Self.matches(weight.name, $0) }) {
        lowRank.weights.append(weight)
        first = min(first, stages[weight.name] ?? last)
      }
      guard !lowRank.weights.isEmpty else { throw .nothingToAdapt }
    }
    self.lowRank = lowRank
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
    case .head, .mlp, .lastN, .full, .lora: pretrainedFactor
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

  /// Whether training may move a parameter or a buffer itself: buffers are statistics of layers that learn.
  func moves(_ name: String) -> Bool {
    factors[name] != nil || layers.contains(Self.layer(name))
  }

  private static func layer(_ name: String) -> Substring {
    name.lastIndex(of: ".").map { name[..<$0] } ?? ""
  }

  /// Numbers that learn, and those of all the network's parameters.
  func count(in graph: Graph) -> ParameterCount {
    let direct = graph.parameters.filter { factors[$0.name] != nil }.reduce(0) { $0 + $1.shape.reduce(1, *) }
    return ParameterCount(learning: direct + lowRank.count, all: graph.parameterCount)
  }

  /// Those of the buffer's slices that learn; biases and normalisations keep out of weight decay.
  package func groups(of layout: ParameterLayout) -> [GradientDescent.Group] {
    layout.slices.compactMap { slice in
      factors[slice.name].map { .init(range: slice.range, isDecayed: slice.shape.count > 1, factor: $0) }
    }
  }
}

/// How many of a network's numbers learn.
public struct ParameterCount: Codable, Sendable, Equatable {
  /// Factors of changes of low rank count, and not the weights that they change.
  public let learning: Int
  public let all: Int

  /// For people: `294,912 of 21,813,504 (1.35 %)`.
  public var words: String {
    let share = String(format: "%.3g", 100 * Double(learning) / Double(max(all, 1)))
    return "\(Self.grouped(learning)) of \(Self.grouped(all)) (\(share) %)"
  }

  private static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String(digits[$0]) }.joined()
  }
}
