import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooGraph
import ZooONNX
import ZooText

/// A text model opened from a file: network, weights and tokenizer.
public struct TextModel: Sendable {
  public let path: String
  /// Catalogue name; nil for a network outside the catalogue.
  public let name: String?
  public let task: NetworkTask
  public let description: NetworkDescription
  /// Under canonical names.
  public let stateDict: StateDict
  /// What the file says of itself, the tokenizer's files included.
  public let metadata: CheckpointMetadata
  public let graph: Graph
  public let weights: Weights
  public let tokenizer: Tokenizer
  /// Names of the classes in the order of the logits; empty where unknown.
  public let labels: [String]
  public let settings: TextSettings

  /// A model by path or, where no such file exists, by catalogue name from the store.
  ///
  /// - Throws: ``ModelError``, `CatalogError`, `TokenizerError`, and what opening the file throws.
  public static func find(_ model: String, catalog: Catalog) throws -> TextModel {
    try TextModel(path: LoadedModel.path(of: model, catalog: catalog), catalog: catalog)
  }

  /// The tokenizer is the one that the checkpoint carries, else that of the files beside it.
  ///
  /// - Throws: ``ModelError``, `TokenizerError`, and what opening the file throws.
  public init(path: String, catalog: Catalog? = nil) throws {
    try self.init(ModelContents(WeightFile.open(path: path), catalog: catalog))
  }

  /// - Throws: ``ModelError``, `TokenizerError`, and what reading the weights throws.
  init(_ contents: ModelContents) throws {
    guard !contents.task.isVision else {
      throw ModelError.wrongTask(file: contents.path, task: contents.task, expected: .textGeneration)
    }
    path = contents.path
    name = contents.name
    task = contents.task
    description = contents.description
    stateDict = contents.stateDict
    graph = try contents.description.graph()
    weights = try contents.stateDict.floatWeights()
    labels = contents.metadata.labels ?? contents.source.publishedLabels(classes: contents.description.classes) ?? []
    settings =
      contents.metadata.input.flatMap { try? JSONDecoder().decode(TextSettings.self, from: Data($0.utf8)) }
      ?? TextSettings()
    let carried = try contents.metadata.tokenizer.map { try TokenizerFiles(text: $0, source: contents.path) }
    guard let files = try carried ?? TokenizerFiles(beside: contents.source.path) else {
      throw ModelError.noTokenizer(file: contents.path)
    }
    tokenizer = try Tokenizer(files: files)
    var metadata = contents.metadata
    metadata.tokenizer = metadata.tokenizer ?? files.text
    self.metadata = metadata
  }

  /// - Throws: ``ModelError/wrongTask(file:task:expected:)``.
  public func require(_ expected: NetworkTask...) throws {
    guard expected.contains(task) else { throw ModelError.wrongTask(file: path, task: task, expected: expected[0]) }
  }

  /// Compiles the network.
  ///
  /// - Throws: `EngineError`, `GraphError`, `FileError`.
  public func plan(precision: SequencePrecision = .float32, threads: Int? = nil) throws -> SequencePlan {
    try SequencePlan(graph, weights: weights, precision: precision, threads: threads)
  }

  /// The most tokens of a text that the network takes.
  public func maximumLength(of plan: SequencePlan) -> Int? {
    [plan.maximumLength, settings.maximumLength].compactMap { $0 }.min()
  }
}

/// How a text becomes a network's input, and its output a vector: what a checkpoint carries as `zoo.input`.
public struct TextSettings: Codable, Sendable, Equatable {
  public enum Pooling: String, Codable, Sendable {
    case mean
    /// The first token's.
    case first
  }

  /// Tokens that are kept of a text, special ones included.
  public var maximumLength: Int?
  /// Which vectors make a text's; default the mean of all its tokens'.
  public var pooling: Pooling?
  /// Whether a text's vector has length 1.
  public var normalize: Bool?
  /// The token that stands for one to be filled in.
  public var maskToken: String?
  /// The token that ends an answer or a continuation.
  public var endToken: String?
  /// The token that a decoder's answer begins with.
  public var startToken: String?

  public init(maximumLength: Int? = nil, pooling: Pooling? = nil, normalize: Bool? = nil) {
    self.maximumLength = maximumLength
    self.pooling = pooling
    self.normalize = normalize
  }
}
