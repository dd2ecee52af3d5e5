import ZooCatalog
import ZooEngine
import ZooGraph

/// The network that fine-tuning ends in: the pretrained one with a head for the new classes.
struct TargetNetwork {
  let description: NetworkDescription
  let graph: Graph
  /// Parameters that the pretrained weights say nothing of, in the graph's order.
  let newlyInitialised: [String]
  /// Tensors of the pretrained weights that have no place any more.
  let replaced: [String]
  private let model: String

  /// - Throws: ``TrainingError``, `FamilyError`, `CatalogError`.
  init(_ network: PretrainedNetwork, classes: Int, recipe: Recipe) throws {
    var description = network.description
    description.classes = classes
    var replaced: [String] = []
    if recipe.kind == .mlp {
      let old = try description.graph()
      guard let module = try Self.module(of: description) else {
        throw TrainingError.noHead(model: network.path)
      }
      replaced = old.parameters.map(\.name).filter { $0.hasPrefix(module + ".") }
      description.head = HiddenHead(hidden: recipe.hidden, dropout: Float(recipe.dropout))
    }
    do {
      graph = try description.graph()
    } catch CatalogError.badDescription where recipe.kind == .mlp {
      throw TrainingError.noLinearHead(model: network.path)
    }
    self.description = description
    model = network.path
    let head = try Self.module(of: description).map { $0 + "." }
    // Hidden layers that an earlier run put there are pretrained, unless this recipe makes its own.
    let last = try Self.parametersOfClasses(description, graph)
    let names = graph.parameters.map(\.name).filter { name in
      recipe.kind == .mlp ? head.map { name.hasPrefix($0) } ?? false : last.contains(name)
    }
    newlyInitialised = names
    self.replaced = replaced.filter { !names.contains($0) }
  }

  /// Those whose shape the number of classes decides: the last layer's, and all that stand beside it.
  private static func parametersOfClasses(_ description: NetworkDescription, _ graph: Graph) throws -> Set<String> {
    var other = description
    other.classes += 1
    let shapes = Dictionary(
      try other.graph().parameters.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    return Set(graph.parameters.filter { shapes[$0.name] != $0.shape }.map(\.name))
  }

  /// The family's own last layer, which hidden layers may stand in the place of.
  private static func module(of description: NetworkDescription) throws -> String? {
    var plain = description
    plain.head = nil
    return try plain.graph().headModule
  }

  /// What learns in a phase, and where it is cut off from what doesn't.
  struct Part {
    let cut: NetworkCut
    let parameters: ParameterGroups
    /// Names of the newly initialised parameters.
    let head: Set<String>
    /// Whether it is a single linear layer on fixed features.
    var isLogisticRegression: Bool {
      cut.endsInHead && parameters.trainable == Set([cut.headWeight, cut.headBias].compactMap { $0 })
        && cut.trainable.nodes.allSatisfy { node in
          switch node.operation {
          case .linear, .dropout, .flatten: true
          default: false
          }
        }
    }
  }

  /// - Throws: ``TrainingError``.
  func part(_ phase: Recipe.Phase, recipe: Recipe) throws(TrainingError) -> Part {
    let head = Set(newlyInitialised)
    let parameters = try ParameterGroups(
      graph: graph, recipe: recipe, head: head, unfrozen: phase.unfrozen, adapts: phase.adapts)
    let cut = try NetworkCut(graph, firstStage: parameters.firstStage, model: model)
    return Part(cut: cut, parameters: parameters, head: head)
  }
}
