import ZooEngine
import ZooGraph

/// Which parameters learn, and at what part of the learning rate: the one place that decides it.
struct ParameterGroups {
  /// Pretrained layers are nearly right already: a tenth of the head's rate, as is usual with torchvision's and timm's
  /// recipes of fine-tuning.
  private static let pretrainedFactor = 0.1
  /// Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018, section 3.2: each layer
  /// learns 2.6 times slower than the one above it.
  private static let stagedFactor = 1 / 2.6

  /// Times the learning rate, by the names of those that learn.
  let factors: [String: Float]
  /// The first stage that has something to learn.
  let firstStage: Int

  var trainable: Set<String> { Set(factors.keys) }

  /// - Parameters:
  ///   - graph: the whole network, cut nowhere.
  ///   - head: names of the newly initialised parameters.
  ///   - unfrozen: stages that learn besides the head, counted from the last.
  init(graph: Graph, recipe: Recipe, head: Set<String>, unfrozen: Int) {
    let stages = Self.stages(of: graph)
    let last = graph.stages.count - 1
    var factors: [String: Float] = [:]
    var first = last
    for parameter in graph.parameters where !parameter.isBuffer {
      let stage = stages[parameter.name] ?? last
      guard head.contains(parameter.name) || stage >= last - unfrozen else { continue }
      factors[parameter.name] = Self.factor(
        recipe.kind, distance: head.contains(parameter.name) ? 0 : max(last - stage, 1))
      first = min(first, stage)
    }
    self.factors = factors
    firstStage = first
  }

  /// - Parameter distance: stages between the parameter and the head, whose own is 0.
  private static func factor(_ kind: Recipe.Kind, distance: Int) -> Float {
    switch kind {
    case .scratch: 1
    case _ where distance == 0: 1
    case .staged: (0..<distance).reduce(1) { factor, _ in factor * Float(stagedFactor) }
    case .head, .lastN, .full: Float(pretrainedFactor)
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
  func groups(of layout: ParameterLayout) -> [GradientDescent.Group] {
    layout.slices.compactMap { slice in
      factors[slice.name].map { .init(range: slice.range, isDecayed: slice.shape.count > 1, factor: $0) }
    }
  }
}
