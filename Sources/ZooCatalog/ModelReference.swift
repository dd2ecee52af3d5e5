/// A model and, where not the default ones are meant, its weights: `resnet50`, `resnet50:IMAGENET1K_V1`.
public struct ModelReference: Sendable, Equatable, CustomStringConvertible {
  public let model: String
  public let weights: String?

  public init(model: String, weights: String?) {
    self.model = model
    self.weights = weights
  }

  public init(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(model: String(parts[0]), weights: parts.count > 1 ? String(parts[1]) : nil)
  }

  public var description: String { weights.map { "\(model):\($0)" } ?? model }

  /// Whether both can be names of files.
  var isPlain: Bool { Self.isPlain(model) && weights.map(Self.isPlain) ?? true }

  /// Whether a name stays inside the folder that it is put into.
  package static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 200
      && !name.unicodeScalars.contains { $0 == "/" || $0 == "\0" }
  }
}

extension Model {
  /// The published weights that the model's name alone stands for, as torchvision's DEFAULT: the latest trained on
  /// ImageNet-1K from scratch (`IMAGENET1K_V2` before `IMAGENET1K_V1`), else those of the highest top-1 accuracy.
  public var defaultWeights: PublishedWeights? {
    let plain = "IMAGENET1K_V"
    let versions = weights.compactMap { weights in
      weights.id.hasPrefix(plain) ? Int(weights.id.dropFirst(plain.count)).map { ($0, weights) } : nil
    }
    return versions.max { $0.0 < $1.0 }?.1 ?? weights.reversed().max { ($0.topOne ?? 0) < ($1.topOne ?? 0) }
  }

  /// Published weights by their id; nil stands for the default ones.
  ///
  /// - Throws: ``CatalogError/noWeights(model:)``, ``CatalogError/unknownWeights(model:id:known:)``.
  public func weights(named id: String?) throws(CatalogError) -> PublishedWeights {
    guard let id else {
      guard let weights = defaultWeights else { throw .noWeights(model: name) }
      return weights
    }
    guard let found = weights.first(where: { $0.id == id }) else {
      throw .unknownWeights(model: name, id: id, known: weights.map(\.id))
    }
    return found
  }
}
