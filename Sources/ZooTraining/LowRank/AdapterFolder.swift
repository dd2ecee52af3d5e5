import Foundation

/// Changes of low rank as Hugging Face's PEFT keeps them apart from a model: a folder with two files.
public struct AdapterFolder: Sendable, Equatable {
  public let path: String
  public var config: String { path + "/adapter_config.json" }
  public var weights: String { path + "/adapter_model.safetensors" }

  /// What names of tensors begin with: the model stands within PEFT's own.
  static let prefix = "base_model.model."

  public init(path: String) { self.path = path }

  /// Takes the two files away, and the folder if nothing else is in it.
  func remove() {
    unlink(weights)
    unlink(config)
    rmdir(path)
  }
}
