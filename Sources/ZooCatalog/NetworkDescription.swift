import Foundation
import ZooCheckpoint
import ZooGraph

/// All that is needed to build a network again: what a checkpoint carries as `zoo.config`.
public struct NetworkDescription: Codable, Sendable, Equatable {
  public var family: String
  /// The family's own configuration.
  public var config: JSONValue
  public var classes: Int
  /// Whether each BatchNorm is folded into the convolution before it.
  public var foldedBatchNormalization: Bool?
  /// Layers that fine-tuning put in the place of the family's last one.
  public var head: HiddenHead?

  public init(family: String, config: JSONValue, classes: Int) {
    self.family = family
    self.config = config
    self.classes = classes
  }

  /// - Throws: ``CatalogError/badDescription(problem:)``.
  public init(json: String) throws(CatalogError) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    } catch let error as DecodingError {
      throw .badDescription(problem: error.oneLine)
    } catch {
      throw .badDescription(problem: "is not JSON")
    }
  }

  /// Compact, with sorted keys: the same description gives the same text.
  public var json: String { CheckpointMetadata.encode(self) }

  /// The same network without what only training from scratch uses, such as an auxiliary classifier.
  ///
  /// - Throws: ``FamilyError``.
  public func withoutTrainingParts() throws -> NetworkDescription {
    let stripped = try NetworkFamilies.withoutTrainingParts(family: family, config: JSONEncoder().encode(config))
    var description = self
    description.config = try JSONDecoder().decode(JSONValue.self, from: stripped)
    return try description.graph().parameters.count == graph().parameters.count ? self : description
  }

  /// The same network with what another task needs on it; nil where its family has no such head.
  ///
  /// - Throws: ``FamilyError``.
  public func adapted(to task: NetworkTask, classes: Int) throws -> NetworkDescription? {
    guard let made = try NetworkFamilies.adapted(family: family, config: JSONEncoder().encode(config), to: task) else {
      return nil
    }
    var description = self
    description.config = try JSONDecoder().decode(JSONValue.self, from: made)
    description.classes = classes
    return description
  }

  /// What the network is for.
  ///
  /// - Throws: ``FamilyError``.
  public func task() throws -> NetworkTask {
    try NetworkFamilies.task(family: family, config: JSONEncoder().encode(config))
  }

  /// - Throws: ``FamilyError``, ``CatalogError/badDescription(problem:)``.
  public func graph() throws -> Graph {
    var graph = try NetworkFamilies.graph(family: family, config: JSONEncoder().encode(config), classes: classes)
    if let head {
      let sizes = head.hidden + [classes]
      guard sizes.allSatisfy({ (1...1 << 20).contains($0) }), (0..<1).contains(head.dropout), head.hidden.count <= 64,
        let changed = graph.replacingHead(with: head)
      else { throw CatalogError.badDescription(problem: "head: hidden layers can't stand at the end of this network") }
      graph = changed
    }
    return foldedBatchNormalization == true ? graph.foldingBatchNormalization() : graph
  }
}
