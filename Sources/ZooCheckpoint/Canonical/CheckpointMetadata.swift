import Foundation

/// What a canonical checkpoint says of itself: the strings of its safetensors `__metadata__`.
public struct CheckpointMetadata: Sendable, Equatable {
  /// Version of the canonical format.
  public static let format = "1"

  /// Catalogue name of the model; nil where the architecture is not known.
  public var model: String?
  /// JSON of the architecture, the head included.
  public var config: String?
  /// Names of the classes, labels or values, in the order of the outputs.
  public var labels: [String]?
  /// How the outputs are to be read.
  public var problem = ProblemType.classes
  /// JSON of the preprocessing.
  public var input: String?
  /// The files of the tokenizer, as JSON.
  public var tokenizer: String?
  /// JSON of the file it came from: name, SHA-256, format, name map.
  public var source: String?
  /// SHA-256 of the data section.
  public var digest: String?
  /// JSON of the fine-tuning that made it.
  public var training: String?
  /// Tensors stored once under another name: alias to stored name.
  public var aliases: [String: String] = [:]
  /// Versions of the modules that wrote the state dict (PyTorch's `_metadata`).
  public var stateDictVersions: [String: Int] = [:]
  /// Parameters of the architecture that the checkpoint has no values for, such as a head that was dropped.
  public var absent: [String] = []
  /// Parameters that training started from random values, not from pretrained ones.
  public var newlyInitialised: [String] = []
  /// What is no part of the network.
  public var kept = KeptEntries()
  /// Strings that are not zoo's own, kept as they were.
  public var others: [String: String] = [:]

  public init() {}

  /// Reads the strings of a safetensors header; what is not zoo's goes into ``others``.
  public init(_ strings: [String: String]) {
    others = strings.filter { !$0.key.hasPrefix("zoo.") }
    model = strings["zoo.model"].flatMap { $0.isEmpty ? nil : $0 }
    config = strings["zoo.config"]
    labels = strings["zoo.labels"].flatMap { Self.decode([String].self, $0) }
    problem = strings["zoo.problemType"].flatMap(ProblemType.init) ?? .classes
    input = strings["zoo.input"]
    tokenizer = strings["zoo.tokenizer"]
    source = strings["zoo.source"]
    digest = strings["zoo.digest"]
    training = strings["zoo.training"]
    aliases = strings["zoo.aliases"].flatMap { Self.decode([String: String].self, $0) } ?? [:]
    absent = strings["zoo.absent"].flatMap { Self.decode([String].self, $0) } ?? []
    newlyInitialised = strings["zoo.newlyInitialised"].flatMap { Self.decode([String].self, $0) } ?? []
    kept = strings["zoo.kept"].flatMap { Self.decode(KeptEntries.self, $0) } ?? KeptEntries()
    stateDictVersions = strings["zoo.stateDictVersions"].flatMap { Self.decode([String: Int].self, $0) } ?? [:]
  }

  /// The strings to write; the same content gives the same strings.
  public var strings: [String: String] {
    var strings = others
    strings["zoo.format"] = Self.format
    strings["zoo.model"] = model ?? ""
    strings["zoo.config"] = config
    strings["zoo.labels"] = labels.map(Self.encode)
    strings["zoo.problemType"] = problem == .classes ? nil : problem.rawValue
    strings["zoo.input"] = input
    strings["zoo.tokenizer"] = tokenizer
    strings["zoo.source"] = source
    strings["zoo.digest"] = digest
    strings["zoo.training"] = training
    strings["zoo.aliases"] = aliases.isEmpty ? nil : Self.encode(aliases)
    strings["zoo.absent"] = absent.isEmpty ? nil : Self.encode(absent)
    strings["zoo.newlyInitialised"] = newlyInitialised.isEmpty ? nil : Self.encode(newlyInitialised)
    strings["zoo.kept"] = kept.isEmpty ? nil : Self.encode(kept)
    strings["zoo.stateDictVersions"] = stateDictVersions.isEmpty ? nil : Self.encode(stateDictVersions)
    return strings
  }

  /// Compact JSON with sorted keys.
  public static func encode(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).flatMap { String(data: $0, encoding: .utf8) } ?? "null"
  }

  private static func decode<T: Decodable>(_ type: T.Type, _ text: String) -> T? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
