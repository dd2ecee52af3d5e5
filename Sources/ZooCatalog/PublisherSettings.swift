import Foundation
import ZooCheckpoint

/// What a name map makes of one field of the `config.json` that a publisher lays beside the weights.
struct SettingRule: Sendable, Decodable {
  struct Case: Sendable, Decodable {
    /// The value; a text may be a shell pattern.
    let value: JSONValue
    /// Fields of the family's configuration that such networks have.
    let config: JSONValue?

    private enum CodingKeys: String, CodingKey {
      case value = "is"
      case config
    }

    func matches(_ found: JSONValue) -> Bool {
      guard case .string(let pattern) = value, case .string(let text) = found,
        pattern.contains(where: { "*?[".contains($0) })
      else {
        return value == found
      }
      return text.matches(shellPattern: pattern)
    }
  }

  /// The number of the family's configuration that the field is.
  let field: String?
  /// The values under which the network is the family's; any other is another network's.
  let cases: [Case]?
  /// A field that tells the same better; where it is there, this one says nothing.
  let unless: String?
}

/// What a name map and the publisher's `config.json` together say of a network, beyond names and shapes.
struct PublishedNetwork: Sendable {
  /// Fields that stand in the configuration instead of the model's own.
  private(set) var config = JSONValue.object([:])
  /// What makes it another network, in words.
  private(set) var differences: [String] = []
  /// How pictures are prepared; nil where it isn't said.
  private(set) var input: JSONValue?
  /// Whether the file has any of the fields that the map knows.
  private(set) var isDescribed = false

  init(_ map: NameMap, settings: JSONValue?) {
    if let own = map.config { config = own }
    if map.naming == "timm" { input = settings?["pretrained_cfg"].flatMap(Self.input(timm:)) }
    for (name, rule) in map.settings.sorted(by: { $0.key < $1.key }) {
      guard let found = settings?[name], found != .null else { continue }
      if let better = rule.unless, settings?[better] != nil { continue }
      isDescribed = true
      if let field = rule.field {
        guard case .number = found else {
          differences.append("\(name) in config.json is no number")
          continue
        }
        config = config.replacing(.object([field: found]))
      }
      guard let cases = rule.cases else { continue }
      if let known = cases.first(where: { $0.matches(found) }) {
        if let overlay = known.config { config = config.replacing(overlay) }
      } else {
        differences.append("config.json says \(name) \(Self.words(found)), which is another network")
      }
    }
  }

  /// timm's `pretrained_cfg`: pictures are resized to their size divided by `crop_pct`, and cropped in the middle.
  private static func input(timm settings: JSONValue) -> JSONValue? {
    guard case .array(let shape)? = settings["input_size"], shape.count == 3, shape[1] == shape[2],
      case .number(let side) = shape[1], side >= 1, side <= 16_384, case .number(let share)? = settings["crop_pct"],
      share > 0, share <= 1, case .string(let interpolation)? = settings["interpolation"],
      ["bicubic", "bilinear"].contains(interpolation), let mean = settings["mean"], let deviation = settings["std"],
      [mean, deviation].allSatisfy(Self.isTriple), (settings["crop_mode"] ?? .string("center")) == .string("center")
    else { return nil }
    return .object([
      "size": .array([shape[1], shape[1]]), "resize": .number((side / share).rounded(.down)), "crop": shape[1],
      "interpolation": .string(interpolation), "mean": mean, "std": deviation, "channelOrder": .string("RGB"),
    ])
  }

  private static func isTriple(_ value: JSONValue) -> Bool {
    guard case .array(let numbers) = value, numbers.count == 3 else { return false }
    return numbers.allSatisfy { if case .number(let number) = $0 { number.isFinite } else { false } }
  }

  private static func words(_ value: JSONValue) -> String {
    if case .string(let text) = value { return text }
    guard let data = try? JSONEncoder().encode(value) else { return "?" }
    return String(decoding: data.prefix(80), as: UTF8.self)
  }
}
