import Synchronization
import ZooCheckpoint
import ZooGraph

extension Catalog {
  /// Tensors that must fit before a model is worth naming, as a share of all.
  static let lowestScore = 0.5

  /// The models that the names and shapes fit, best first; empty where at most half of the tensors fit any.
  ///
  /// Reads no tensor. A model of the same fit is a tie and stands beside it.
  ///
  /// - Parameter settings: the publisher's `config.json`, which says what names and shapes don't: epsilons, activations.
  public func identify(_ stateDict: StateDict, settings: JSONValue? = nil) -> [Identification] {
    fits(of: stateDict, settings, candidates: candidates.all(of: models), above: Self.lowestScore)
  }

  /// How a state dict fits one model, in the naming and the variant that fit best, however badly.
  ///
  /// - Returns: nil only where the model's configuration doesn't build.
  public func identify(_ stateDict: StateDict, settings: JSONValue? = nil, as model: Model) -> Identification? {
    fits(of: stateDict, settings, candidates: Candidate.all(of: [model]), above: -1).first
  }

  private func fits(
    of stateDict: StateDict, _ settings: JSONValue?, candidates: [Candidate], above lowestScore: Double
  ) -> [Identification] {
    let own = ForeignShapes(stateDict)
    var found = candidates.compactMap { $0.fit(own, naming: $0.model.naming, above: lowestScore) }
    for map in nameMaps {
      let published = PublishedNetwork(map, settings: settings)
      let shapes = map.hasOwnNames ? ForeignShapes(stateDict, map: map) : own
      // What another's map leaves out may be a buffer of the model's own naming.
      let named = candidates.filter {
        shapes.renamed > 0 ? map.fits($0.model) : shapes.leftOut > 0 && map.isOwn(of: $0.model)
      }
      if !named.isEmpty {
        found += named.compactMap {
          $0.fit(shapes, naming: map.naming, (map, published), above: lowestScore)
        }
      } else if published.isDescribed, !map.hasOwnNames || candidates.contains(where: { map.isOwn(of: $0.model) }) {
        let described = candidates.filter { map.hasOwnNames ? map.isOwn(of: $0.model) : map.fits($0.model) }
          .compactMap { $0.fit(own, naming: map.naming, (map, published), above: lowestScore) }
        let best = described.map(\.score).max() ?? 0
        // Who published the weights is known, so that no other's network of these names is meant.
        found.removeAll { $0.nameMap == nil && (map.fits($0.model) || $0.score <= best) }
        found += described
      }
    }
    return found.sorted { first, second in
      if first.score != second.score { return first.score > second.score }
      if (first.model.twinOf == nil) != (second.model.twinOf == nil) { return first.model.twinOf == nil }
      return (first.model.name, first.naming, first.variant) < (second.model.name, second.naming, second.variant)
    }
  }
}

/// The networks of a catalogue's models, built when somebody first asks for them.
final class Candidates: Sendable {
  private let built = Mutex<[Candidate]?>(nil)

  fileprivate func all(of models: [Model]) -> [Candidate] {
    built.withLock { built in
      if let built { return built }
      let made = Candidate.all(of: models)
      built = made
      return made
    }
  }
}

extension Catalog {
  /// The networks of all models in each of their variants; what doesn't build is left out.
  package var networks: [(model: Model, config: JSONValue, graph: Graph)] {
    candidates.all(of: models).map { ($0.model, $0.config, $0.graph) }
  }
}

/// A state dict's shapes under the names that a map gives them.
private struct ForeignShapes {
  /// Canonical name to shape and the name in the file; shape nil where the map's transform doesn't fit.
  private(set) var byName: [String: (shape: [Int]?, source: String)] = [:]
  /// Canonical names in the order of the file.
  private(set) var names: [String] = []
  /// Tensors that the map gives another name.
  private(set) var renamed = 0
  /// Buffers that it takes no notice of.
  private(set) var leftOut = 0

  init(_ stateDict: StateDict, map: NameMap? = nil) {
    byName.reserveCapacity(stateDict.count)
    let ranks = map?.ranking(of: stateDict.names) ?? [:]
    var parts: [String: [Int: [Int]]] = [:]
    var counts: [String: Int] = [:]
    for (source, tensor) in stateDict.tensors {
      var name = source
      var shape: [Int]? = tensor.shape
      if map?.derives(source) == true {
        leftOut += 1
        continue
      }
      if let map, let (target, rule) = map.renamed(ranks[source] ?? source, .importing) {
        name = target
        shape = map.importedShape(tensor.shape, rule: rule)
        if target != source { renamed += 1 }
        if let part = map.rules[rule].part {
          if part.isOfSource {
            addShares(of: tensor.shape, named: ranks[source] ?? source, source, map, count: part.count)
            continue
          }
          parts[target, default: [:]][part.index] = shape
          counts[target] = part.count
          guard let known = parts[target], known.count == part.count else { continue }
          shape = Self.joined(known.values.map { $0 })
        }
      }
      names.append(name)
      byName[name] = (shape, source)
    }
    for (target, known) in parts where byName[target] == nil && map?.isZeroInParts(target) == true {
      guard let shape = known.values.first, let count = counts[target] else { continue }
      names.append(target)
      byName[target] = (Self.joined([[Int]](repeating: shape, count: count)), target)
    }
  }
}

extension ForeignShapes {
  /// What the file has for a parameter under another of its names alone.
  fileprivate func alias(of name: String, in graph: Graph) -> (shape: [Int]?, source: String)? {
    graph.aliases.filter { $0.value == name }.keys.sorted().compactMap { byName[$0] }.first
  }

  /// Our tensors that one of the file's has one after another.
  private mutating func addShares(of shape: [Int], named name: String, _ source: String, _ map: NameMap, count: Int) {
    for index in 0..<count {
      guard let (target, rule) = map.renamed(name, .importing, part: index) else { continue }
      var share: [Int]?
      if let rows = shape.first, rows % count == 0 { share = [rows / count] + shape.dropFirst() }
      names.append(target)
      byName[target] = (share.flatMap { map.importedShape($0, rule: rule) }, source)
    }
  }

  /// The shape of parts one after another; nil where they don't fit together.
  fileprivate static func joined(_ parts: [[Int]]) -> [Int]? {
    guard let first = parts.first, !first.isEmpty, parts.allSatisfy({ $0 == first }) else { return nil }
    let (rows, overflowed) = first[0].multipliedReportingOverflow(by: parts.count)
    return overflowed ? nil : [rows] + first.dropFirst()
  }
}

/// A model's expected names and shapes.
private struct Candidate {
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

  static func all(of models: [Model]) -> [Candidate] {
    models.concurrentMap { model in
      model.configs.enumerated().compactMap { Candidate(model, config: $0.element, variant: $0.offset) }
    }.flatMap(\.self)
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
