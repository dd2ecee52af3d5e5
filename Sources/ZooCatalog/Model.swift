import ZooCheckpoint
import ZooGraph

/// A member of the catalogue: an architecture, how its pictures are prepared, and the weights published for it.
public struct Model: Sendable {
  public let name: String
  public let title: String
  public let family: String
  /// What sets it apart from its namesakes.
  public let note: String?
  /// A model of the same network, which weights are taken for where nothing tells whose they are.
  public let twinOf: String?
  public let task: String
  /// The family's configuration.
  public let config: JSONValue
  /// Fields of the configuration in which the same network is saved otherwise, such as without its auxiliary classifier.
  public let variants: [JSONValue]
  /// Classes of the published weights.
  public let classes: Int
  /// Names of those classes, in the order of the logits; empty where unknown.
  public let labels: [String]
  /// Preprocessing of pictures: size, resize, crop, interpolation, mean, std, channelOrder; of texts: maximumLength,
  /// pooling, normalize.
  public let preprocessing: JSONValue
  /// Sides of the square or rectangular picture the network takes, [height, width]; empty for one of texts.
  public let inputSize: [Int]
  /// Trainable scalars with the published head.
  public let parameters: Int
  /// Thousand millions of multiply-adds a picture, or a text of ``tokensOfCost`` tokens.
  public let gflops: Double
  public let paper: Paper?
  public let weights: [PublishedWeights]
  /// Whose tensor names the canonical ones are: `torchvision`, `timm`.
  public let naming: String

  /// Tokens of the text that ``gflops`` is for; an encoder-decoder's answer has as many.
  public static let tokensOfCost = 128

  /// Tokens of the longest text; nil for a network of pictures.
  public var maximumLength: Int? { preprocessing["maximumLength"].flatMap(\.whole) }

  /// Shape of the input that ``gflops`` is for.
  public var inputShape: [Int] { maximumLength == nil ? [1, 3] + inputSize : [Self.tokensOfCost] }

  /// Architecture and head, as a checkpoint carries them.
  ///
  /// - Parameter classes: nil for the published head.
  public func description(classes: Int? = nil) -> NetworkDescription {
    NetworkDescription(family: family, config: config, classes: classes ?? self.classes)
  }

  /// ``config``, then what its variants make of it.
  public var configs: [JSONValue] { [config] + variants.map(config.replacing) }

  /// The network, with a head for `classes` classes.
  ///
  /// - Throws: ``FamilyError``.
  public func graph(classes: Int? = nil) throws -> Graph { try description(classes: classes).graph() }

  /// ``preprocessing`` as JSON text, as a checkpoint carries it.
  public var input: String { CheckpointMetadata.encode(preprocessing) }

  /// Preprocessing that some published weights want, as JSON.
  public func input(forWeights id: String) -> String {
    weights.first { $0.id == id }?.input.map(CheckpointMetadata.encode) ?? input
  }

  /// The side that pictures are resized to before cropping for some published weights, in pixels.
  public func resize(forWeights id: String) -> String {
    let wanted = weights.first { $0.id == id }?.input ?? preprocessing
    return wanted["resize"].map(CheckpointMetadata.encode) ?? "–"
  }

  /// The highest published top-1 accuracy, in percent.
  public var bestAccuracy: Double? { weights.compactMap(\.topOne).max() }
}

/// Where an architecture was published.
public struct Paper: Codable, Sendable, Equatable {
  public let title: String
  public let year: Int
  public let url: String
}

/// Weights that somebody publishes for a model.
public struct PublishedWeights: Codable, Sendable, Equatable {
  public struct OlderFile: Codable, Sendable, Equatable {
    public let file: String
    public let sha256Prefix: String
  }

  public let id: String
  public let file: String
  public let url: String
  /// Of weights for texts: the tokenizer's files, by their names beside the weights or their addresses.
  public let tokenizer: [String]?
  /// The whole digest where it is known, else ``sha256Prefix``.
  public let sha256: String?
  public let sha256Prefix: String?
  /// Where the publisher gives no SHA-256.
  public let md5: String?
  public let sizeMiB: Double?
  /// In percent, by data set and measure: `metrics["ImageNet-1K"]?["acc@1"]`.
  public let metrics: [String: [String: Double]]?
  /// Preprocessing where it differs from the model's.
  public let input: JSONValue?
  public let licence: String?
  public let note: String?
  /// The same weights under names that still circulate.
  public let olderFiles: [OlderFile]?

  /// The tokenizer's files and where they are published.
  public var tokenizerFiles: [(name: String, url: String)] {
    (tokenizer ?? []).map { entry in
      let name = entry.split(separator: "/").last.map(String.init) ?? entry
      return (name, name == entry ? String(url[...(url.lastIndex(of: "/") ?? url.startIndex)]) + name : entry)
    }
  }

  /// Top-1 accuracy on ImageNet-1K, in percent.
  public var topOne: Double? { metrics?["ImageNet-1K"]?["acc@1"] }
}
