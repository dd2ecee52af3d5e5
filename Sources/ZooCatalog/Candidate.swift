import ZooCheckpoint
import ZooGraph

/// A model's expected names and shapes.
struct Candidate {
  let model: Model
  let config: JSONValue
  /// The configuration's place among the model's, of which the first is the usual one.
  let variant: Int
  let graph: Graph
  private let known: Set<String>
  private let head: String?
  private let integerBuffers: Set<String>
  /// Parameters that follow from the configuration.
  private let derived: Set<String>

  static func all(of model: Model) -> [Candidate] {
    model.configs.enumerated().compactMap { Candidate(model, config: $0.element, variant: $0.offset) }
  }

  /// Returns nil where the model's configuration doesn't build, which an overlay's may not.
  init?(_ model: Model, config: JSONValue, variant: Int) {
    let description = NetworkDescription(family: model.family, config: config, classes: model.classes)
    guard let graph = try? description.graph() else { return nil }
    self.model = model
    self.config = config
    self.variant = variant
    self.graph = graph
    known = Set(graph.parameters.map(\.name))
    head = graph.headModule
    integerBuffers = Set(graph.integerBuffers)
    derived = Set(graph.coordinateTables.map(\.name))
  }

  func fit(
    _ shapes: ForeignShapes, naming: String, _ source: (map: NameMap, network: PublishedNetwork)? = nil,
    above lowestScore: Double
  ) -> Identification? {
    let map = source?.map
    // A file of too few tensors fits too little, however well each fits.
    if map?.hasOwnNames != true, Double(shapes.names.count) <= lowestScore * Double(graph.parameters.count) {
      return nil
    }
    var missing: [String] = []
    var misshapen: [Identification.Misshapen] = []
    let classes = head.flatMap { shapes.byName[$0 + ".weight"]?.shape?.first }
    let mostUnfit = (1 - lowestScore) * Double(known.count)
    for parameter in parameters(classes: classes) {
      // Most of the catalogue's networks are of other names altogether.
      guard Double(missing.count + misshapen.count) < mostUnfit else { return nil }
      guard let found = shapes.byName[parameter.name] ?? shapes.alias(of: parameter.name, in: graph) else {
        if map?.filled(parameter.name) == nil, !derived.contains(parameter.name) { missing.append(parameter.name) }
        continue
      }
      if found.shape != parameter.shape {
        misshapen.append(.init(name: parameter.name, expected: parameter.shape, found: found.shape ?? []))
      }
    }
    for (alias, name) in graph.aliases.sorted(by: { $0.key < $1.key }) {
      guard let found = shapes.byName[alias], let expected = shapes.byName[name]?.shape, found.shape != expected else {
        continue
      }
      misshapen.append(.init(name: alias, expected: expected, found: found.shape ?? []))
    }
    let extra = shapes.names.filter {
      !known.contains($0) && !integerBuffers.contains($0) && graph.aliases[$0] == nil
    }
    .compactMap { shapes.byName[$0]?.source }
    let fitting = known.count - missing.count - misshapen.count
    let score = Double(fitting) / Double(known.count + extra.count)
    guard score > lowestScore else { return nil }
    let (config, differences) = source.map { described(by: $0.network) } ?? (config, [])
    return Identification(
      model: model, config: config, variant: variant, naming: naming, nameMap: map,
      classes: graph.givesClasses ? classes : 0, missing: missing, extra: extra, misshapen: misshapen,
      differences: differences, absentStages: absentStages(missing: Set(missing)), score: score,
      isDescribed: source?.network.isDescribed ?? false, publishedInput: source?.network.input)
  }

  /// The configuration with what the publisher says of it, and what makes it another network.
  private func described(by network: PublishedNetwork) -> (JSONValue, [String]) {
    guard network.config != .object([:]) else { return (config, network.differences) }
    let own = config.replacing(network.config)
    let description = NetworkDescription(family: model.family, config: own, classes: model.classes)
    guard (try? description.graph()) != nil else {
      return (config, network.differences + ["config.json describes a network that can't be built"])
    }
    return (own, network.differences)
  }

  /// What is expected with another number of classes, on which more than the head may depend: an auxiliary classifier, a
  /// second branch.
  private func parameters(classes: Int?) -> [Parameter] {
    guard let classes, classes != model.classes else { return graph.parameters }
    let description = NetworkDescription(family: model.family, config: config, classes: classes)
    return (try? description.graph())?.parameters ?? graph.parameters
  }

  /// The last stages that have nothing but missing parameters, where no other stage misses any.
  private func absentStages(missing: Set<String>) -> [String] {
    guard !missing.isEmpty else { return [] }
    let parameters = graph.parametersByValue
    var names = [[String]](repeating: [], count: graph.stages.count)
    for node in graph.nodes { names[node.stage] += node.inputs.compactMap { parameters[$0]?.name } }
    var absent: [String] = []
    for (stage, owned) in zip(graph.stages, names).reversed() {
      guard !owned.isEmpty, owned.allSatisfy(missing.contains) else { break }
      absent.insert(stage, at: 0)
    }
    let explained = zip(graph.stages, names).filter { absent.contains($0.0) }.flatMap(\.1)
    return explained.count == missing.count ? absent : []
  }
}
