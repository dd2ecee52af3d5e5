import Foundation
import ZooCheckpoint

/// A tiny text network of Transformers with what was asked of it and what it said; see `make_sequences.py`.
public struct TextNetworkFixture {
  public enum Problem: Error { case missing(String) }

  public let family: String
  /// The family's configuration.
  public let config: Data
  public let classes: Int
  /// The network's tensors.
  public let weights: [String: FloatTensor]
  /// The outputs, without the rows of padding.
  public let expected: [FloatTensor]
  private let answers: [String: String]

  public init(_ name: String) throws {
    let checkpoint = try Checkpoint.open(path: Fixture.path("sequences/\(name).safetensors"))
    guard let text = checkpoint.metadata.config,
      let fields = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
      let family = fields["family"] as? String, let classes = fields["classes"] as? Int, let config = fields["config"]
    else { throw Problem.missing("zoo.config") }
    self.family = family
    self.classes = classes
    self.config = try JSONSerialization.data(withJSONObject: config)
    var all: [String: FloatTensor] = [:]
    for (name, tensor) in checkpoint.stateDict.tensors { all[name] = try FloatTensor(tensor) }
    expected = (0..<2).compactMap { all["expected.\($0)"] }
    weights = all.filter { !$0.key.hasPrefix("expected.") }
    answers = checkpoint.metadata.others
  }

  /// What stands under a key of the file's metadata: `ids`, `types`, `decoder`, `generated`, `end`; nil where nothing
  /// does.
  public func value<T: Decodable>(_ key: String, as type: T.Type = T.self) throws -> T? {
    try answers[key].map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
  }
}
