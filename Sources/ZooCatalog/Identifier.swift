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
    fits(of: stateDict, settings, models: models, above: Self.lowestScore) { models, shapes in
      candidates.networks(of: models, resembling: shapes.names, among: self.models)
    }
  }

  /// Makes what ``identify(_:settings:)`` needs of the catalogue, while somebody else still opens the file.
  public func prepareToIdentify() { candidates.prepare(models) }

  /// How a state dict fits one model, in the naming and the variant that fit best, however badly.
  ///
  /// - Returns: nil only where the model's configuration doesn't build.
  public func identify(_ stateDict: StateDict, settings: JSONValue? = nil, as model: Model) -> Identification? {
    let networks = Candidate.all(of: model)
    return fits(of: stateDict, settings, models: [model], above: -1) { models, _ in models.isEmpty ? [] : networks }
      .first
  }

  /// - Parameter networks: those of some models that shapes may be of.
  private func fits(
    of stateDict: StateDict, _ settings: JSONValue?, models: [Model], above lowestScore: Double,
    networks: ([Model], ForeignShapes) -> [Candidate]
  ) -> [Identification] {
    let own = ForeignShapes(stateDict)
    var found = networks(models, own).compactMap { $0.fit(own, naming: $0.model.naming, above: lowestScore) }
    for map in nameMaps {
      let published = PublishedNetwork(map, settings: settings)
      let shapes = map.hasOwnNames ? ForeignShapes(stateDict, map: map) : own
      // What another's map leaves out may be a buffer of the model's own naming.
      let named = models.filter { shapes.renamed > 0 ? map.fits($0) : shapes.leftOut > 0 && map.isOwn(of: $0) }
      if !named.isEmpty {
        found += networks(named, shapes).compactMap {
          $0.fit(shapes, naming: map.naming, (map, published), above: lowestScore)
        }
      } else if published.isDescribed, !map.hasOwnNames || models.contains(where: map.isOwn) {
        let described = networks(models.filter { map.hasOwnNames ? map.isOwn(of: $0) : map.fits($0) }, own)
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

  /// The networks of some models in each of their variants; what doesn't build is left out.
  package func networks(of models: [Model]) -> [(model: Model, config: JSONValue, graph: Graph)] {
    candidates.networks(of: models).map { ($0.model, $0.config, $0.graph) }
  }
}
