import Foundation

/// What the store says of weights that were pulled: `records/<model>/<weights>.json`.
public struct StoreRecord: Codable, Sendable, Equatable {
  /// The published file that they came in.
  public struct Source: Codable, Sendable, Equatable {
    public let file: String
    public let url: String
    public let sha256: String

    public init(file: String, url: String, sha256: String) {
      self.file = file
      self.url = url
      self.sha256 = sha256
    }
  }

  public let model: String
  /// The catalogue's id of the weights.
  public let weights: String
  /// Whether they are those that the model's name alone stands for.
  public let isDefault: Bool
  /// SHA-256 of the checkpoint, which is its name among the blobs.
  public var blob: String
  /// Size of the checkpoint.
  public let bytes: Int
  /// SHA-256 of the checkpoint's data section, `zoo.digest`.
  public let digest: String
  /// When they were pulled: ISO 8601, in UTC.
  public let installed: String
  public let source: Source
  /// The files of the tokenizer that the checkpoint carries; nil where it has none.
  public let tokenizer: [Source]?

  public init(
    model: String, weights: String, isDefault: Bool, blob: String, bytes: Int, digest: String, source: Source,
    tokenizer: [Source]? = nil, installed: Date = Date()
  ) {
    self.model = model
    self.weights = weights
    self.isDefault = isDefault
    self.blob = blob
    self.bytes = bytes
    self.digest = digest
    self.source = source
    self.tokenizer = tokenizer
    self.installed = installed.formatted(.iso8601)
  }

  /// `resnet50:IMAGENET1K_V2`.
  public var reference: ModelReference { ModelReference(model: model, weights: weights) }
}
