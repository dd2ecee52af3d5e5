import Foundation

/// A family of networks: a function from a few numbers to a graph. Its members are data.
public protocol NetworkFamily {
  associatedtype Config: Codable & Sendable
  /// The name that catalogue entries and checkpoints know the family by.
  static var name: String { get }
  /// The network for pictures [N, 3, H, W], giving logits [N, classes].
  static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph
}

/// Every family that can be built by name.
public enum NetworkFamilies {
  public static var all: [any NetworkFamily.Type] {
    [AlexNet.self, VGG.self, ResNet.self, EfficientNetLite.self, InceptionV3.self, ConvNeXt.self]
  }

  /// Builds a network from a family's name and its configuration as JSON.
  ///
  /// Fields that the family doesn't know are refused: a misspelt one would silently build another network.
  public static func graph(family: String, config: Data, classes: Int) throws(FamilyError) -> Graph {
    guard let type = all.first(where: { $0.name == family }) else {
      throw .unknown(family: family, known: all.map { $0.name })
    }
    return try build(type, config, classes: classes)
  }

  private static func build<F: NetworkFamily>(_: F.Type, _ json: Data, classes: Int) throws(FamilyError) -> Graph {
    let config: F.Config
    do {
      config = try JSONDecoder().decode(F.Config.self, from: json)
      let known = try JSONSerialization.jsonObject(with: JSONEncoder().encode(config))
      let given = try JSONSerialization.jsonObject(with: json)
      if let field = unknownField(given, known) {
        throw FamilyError.unreadable(family: F.name, problem: "unknown field '\(field)'")
      }
    } catch let error as FamilyError {
      throw error
    } catch let error as DecodingError {
      throw .unreadable(family: F.name, problem: error.oneLine)
    } catch {
      throw .unreadable(family: F.name, problem: "is not JSON")
    }
    return try F.graph(config, classes: classes)
  }

  /// The first field that decoding dropped.
  private static func unknownField(_ given: Any, _ known: Any) -> String? {
    guard let given = given as? [String: Any], let known = known as? [String: Any] else { return nil }
    for (field, value) in given.sorted(by: { $0.key < $1.key }) where !(value is NSNull) {
      guard let decoded = known[field] else { return field }
      if let inner = unknownField(value, decoded) { return field + "." + inner }
    }
    return nil
  }
}
