import Foundation

/// A family of networks: a function from a few numbers to a graph. Its members are data.
public protocol NetworkFamily {
  associatedtype Config: Codable & Sendable
  /// The name that catalogue entries and checkpoints know the family by.
  static var name: String { get }
  /// What its outputs are, where the configuration doesn't say otherwise.
  static var task: NetworkTask { get }
  static func task(_ config: Config) -> NetworkTask
  /// The network for pictures [N, 3, H, W] or for sequences of token ids, giving the logits of its ``task``.
  static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph
  /// The same network without what only training from scratch uses, such as an auxiliary classifier.
  static func withoutTrainingParts(_ config: Config) -> Config
  /// Side of the pictures that the network's positions are learnt for; nil where it has none.
  static func pictureSide(_ config: Config) -> Int?
  /// The same network with what another task needs on it; nil where the family has no such head.
  static func adapted(_ config: Config, to task: NetworkTask) -> Config?
}

/// What a network says of a picture or a text; named as Hugging Face names tasks.
public enum NetworkTask: String, Sendable {
  /// Logits [N, classes].
  case imageClassification = "image-classification"
  /// Logits [N, classes, H, W], a class for each pixel.
  case imageSegmentation = "image-segmentation"
  /// A vector for each token, from which texts' vectors are made.
  case featureExtraction = "feature-extraction"
  /// Logits [rows, vocabulary]: which token stands where it is masked.
  case fillMask = "fill-mask"
  /// Logits [sequences, classes].
  case textClassification = "text-classification"
  /// Logits [rows, classes], a class for each token.
  case tokenClassification = "token-classification"
  /// Logits [rows, vocabulary]: which token follows.
  case textGeneration = "text-generation"
  /// Logits [decoder rows, vocabulary]: which token follows in the answer.
  case text2TextGeneration = "text2text-generation"

  /// Whether the network reads pictures; else texts.
  public var isVision: Bool { [.imageClassification, .imageSegmentation].contains(self) }
  /// Whether the number of classes is the user's to choose.
  public var hasClasses: Bool { isVision || [.textClassification, .tokenClassification].contains(self) }
}

extension NetworkFamily {
  public static var task: NetworkTask { .imageClassification }
  public static func task(_ config: Config) -> NetworkTask { task }
  public static func withoutTrainingParts(_ config: Config) -> Config { config }
  public static func pictureSide(_ config: Config) -> Int? { nil }
  public static func adapted(_ config: Config, to task: NetworkTask) -> Config? { nil }
}

extension NetworkFamily where Config == TransformerConfig {
  public static func adapted(_ config: Config, to task: NetworkTask) -> Config? {
    guard config.task != task else { return config }
    let heads: [TransformerHead] = [
      .sequenceClassification, .tokenClassification, .maskedLanguageModel, .causalLanguageModel,
    ]
    var config = config
    // Each head says itself whether it reads a pooler.
    config.pooler = nil
    return heads.lazy.map { head in
      config.head = head
      return config
    }.first { $0.task == task && (try? graph($0, classes: 2)) != nil }
  }
}

/// A configuration of a network that may have auxiliary classifiers, which only training from scratch uses.
public protocol AuxiliaryConfig: Codable, Sendable {
  /// Whether the state dict holds them; default false.
  var auxiliary: Bool? { get set }
}

extension NetworkFamily where Config: AuxiliaryConfig {
  public static func withoutTrainingParts(_ config: Config) -> Config {
    var config = config
    config.auxiliary = nil
    return config
  }
}

/// Every family that can be built by name.
public enum NetworkFamilies {
  public static var all: [any NetworkFamily.Type] {
    [
      AlexNet.self, VGG.self, ResNet.self, EfficientNetLite.self, InceptionV3.self, ConvNeXt.self, FCN.self,
      DeepLabV3.self, LRASPP.self, SqueezeNet.self, GoogLeNet.self, DenseNet.self, MobileNetV2.self, MobileNetV3.self,
      MNASNet.self, ShuffleNetV2.self, RegNet.self, EfficientNet.self, VisionTransformer.self, SwinTransformer.self,
      MaxViT.self, BERT.self, RoBERTa.self, DistilBERT.self, GPT2.self, T5.self,
    ]
  }

  /// - Throws: ``FamilyError``.
  public static func task(family: String) throws(FamilyError) -> NetworkTask { try type(named: family).task }

  /// What a network of the family with that configuration, JSON, is for.
  ///
  /// - Throws: ``FamilyError``.
  public static func task(family: String, config: Data) throws(FamilyError) -> NetworkTask {
    try task(type(named: family), config)
  }

  private static func task<F: NetworkFamily>(_: F.Type, _ json: Data) throws(FamilyError) -> NetworkTask {
    F.task(try decode(F.self, json))
  }

  /// Builds a network from a family's name and its configuration as JSON.
  ///
  /// Fields that the family doesn't know are refused: a misspelt one would silently build another network.
  public static func graph(family: String, config: Data, classes: Int) throws(FamilyError) -> Graph {
    try build(type(named: family), config, classes: classes)
  }

  /// A configuration without what only training from scratch uses, as JSON.
  ///
  /// - Throws: ``FamilyError``.
  public static func withoutTrainingParts(family: String, config: Data) throws(FamilyError) -> Data {
    try strip(type(named: family), config)
  }

  /// The configuration, JSON, of the same network with what another task needs on it; nil where the family has no such
  /// head.
  ///
  /// - Throws: ``FamilyError``.
  public static func adapted(family: String, config: Data, to task: NetworkTask) throws(FamilyError) -> Data? {
    try adapt(type(named: family), config, to: task)
  }

  private static func adapt<F: NetworkFamily>(
    _: F.Type, _ json: Data, to task: NetworkTask
  ) throws(FamilyError) -> Data? {
    guard let config = F.adapted(try decode(F.self, json), to: task) else { return nil }
    return try encode(F.self, config)
  }

  /// Side of the pictures that a network's positions are learnt for; nil where it has none.
  ///
  /// - Throws: ``FamilyError``.
  public static func pictureSide(family: String, config: Data) throws(FamilyError) -> Int? {
    try side(type(named: family), config)
  }

  private static func side<F: NetworkFamily>(_: F.Type, _ json: Data) throws(FamilyError) -> Int? {
    F.pictureSide(try decode(F.self, json))
  }

  private static func type(named family: String) throws(FamilyError) -> any NetworkFamily.Type {
    guard let type = all.first(where: { $0.name == family }) else {
      throw .unknown(family: family, known: all.map { $0.name })
    }
    return type
  }

  private static func build<F: NetworkFamily>(_: F.Type, _ json: Data, classes: Int) throws(FamilyError) -> Graph {
    try F.graph(decode(F.self, json), classes: classes)
  }

  private static func strip<F: NetworkFamily>(_: F.Type, _ json: Data) throws(FamilyError) -> Data {
    try encode(F.self, F.withoutTrainingParts(decode(F.self, json)))
  }

  private static func encode<F: NetworkFamily>(_: F.Type, _ config: F.Config) throws(FamilyError) -> Data {
    guard let data = try? JSONEncoder().encode(config) else {
      throw .unreadable(family: F.name, problem: "can't be written as JSON")
    }
    return data
  }

  private static func decode<F: NetworkFamily>(_: F.Type, _ json: Data) throws(FamilyError) -> F.Config {
    do {
      let config = try JSONDecoder().decode(F.Config.self, from: json)
      let known = try JSONSerialization.jsonObject(with: JSONEncoder().encode(config))
      let given = try JSONSerialization.jsonObject(with: json)
      if let field = unknownField(given, known) {
        throw FamilyError.unreadable(family: F.name, problem: "unknown field '\(field)'")
      }
      return config
    } catch let error as FamilyError {
      throw error
    } catch let error as DecodingError {
      throw .unreadable(family: F.name, problem: error.oneLine)
    } catch {
      throw .unreadable(family: F.name, problem: "is not JSON")
    }
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
