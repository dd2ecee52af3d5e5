import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference

/// Adds an adapter's changes to the weights of the model that it was trained on: what the same run writes where changes
/// aren't kept apart.
public struct AdapterMerge {
  private let adapter: Adapter
  private let base: Base

  /// The model as the adapter needs it.
  private struct Base {
    let path: String
    let graph: Graph
    var stateDict: StateDict
    var metadata: CheckpointMetadata
  }

  /// What was merged, and into what.
  public struct Outcome: Sendable {
    public let checkpoint: WrittenCheckpoint
    public let model: String
    /// Weights that were changed.
    public let changed: Int
    /// Tensors that were replaced, such as a new head's.
    public let replaced: Int
  }

  /// - Parameter adapter: a folder as PEFT or `zoo finetune` saves it.
  /// - Throws: ``AdapterError``, ``TrainingError``, `FamilyError`, `FileError`, `SafetensorsError`.
  public init(adapter path: String, onto model: OpenedModel) throws {
    let adapter = try Adapter(path: path)
    self.adapter = adapter
    switch model {
    case .picture(let picture): base = try Self.base(picture, adapter)
    case .text(let text): base = try Self.base(text, adapter)
    }
  }

  /// - Throws: ``AdapterError``, `EngineError`, `FileError`, `TensorError`.
  public func write(to path: String, overwrite: Bool = false) throws -> Outcome {
    var stateDict = base.stateDict
    let (file, graph) = (adapter.folder.weights, base.graph)
    let (names, shapes) = (AdapterNames(graph), Dictionary(graph.parameters.map { ($0.name, $0.shape) }) { $1 })
    for (tensor, value) in adapter.direct.sorted(by: { $0.key < $1.key }) {
      // Counts of training steps, which nothing here reads.
      if tensor.hasSuffix(".num_batches_tracked") { continue }
      guard let name = names.parameter(tensor), let shape = shapes[name] else {
        throw AdapterError.noSuchParameter(file: file, tensor: AdapterFolder.prefix + tensor, model: base.path)
      }
      guard value.shape == shape else {
        throw AdapterError.shape(
          file: file, tensor: AdapterFolder.prefix + tensor, expected: shape, found: value.shape)
      }
      stateDict[name] = value
    }
    for parameter in graph.parameters where stateDict[parameter.name] == nil {
      throw AdapterError.missingParameter(file: file, model: base.path, name: parameter.name)
    }
    let matrices = Dictionary(graph.matrixWeights.map { ($0.name, $0) }) { $1 }
    for (module, factors) in adapter.factors.sorted(by: { $0.key < $1.key }) {
      guard let name = names.weight(of: module), let before = stateDict[name] else {
        throw AdapterError.noSuchParameter(file: file, tensor: factors.names.a, model: base.path)
      }
      guard let weight = matrices[name] else {
        throw AdapterError.unsupported(
          file: file, field: factors.names.a, value: "the change of \(name)",
          expected: "one of a linear layer or a 1×1 convolution")
      }
      let change = try self.change(of: weight, module: module, factors)
      stateDict[name] = try change.changed(
        FloatTensor(before), a: FloatTensor(factors.a), b: FloatTensor(factors.b)
      ).stored()
    }
    try stateDict.restoreAliases(graph.aliases)
    let written = try CheckpointWriter.write(stateDict, metadata: base.metadata, to: path, overwrite: overwrite)
    return Outcome(
      checkpoint: written, model: base.metadata.model ?? "an unnamed model", changed: adapter.factors.count,
      replaced: adapter.direct.count)
  }

  private func change(
    of weight: MatrixWeight, module: String, _ factors: Adapter.Factors
  ) throws(AdapterError) -> LowRankChange {
    let (file, rank) = (adapter.folder.weights, adapter.rank(of: module))
    let pixel = weight.shape.count == 4 ? [1, 1] : []
    let (a, b) = (factors.a.shape, factors.b.shape)
    if let found = a.first, a.count == 2 + pixel.count, Array(a.dropFirst()) == [weight.inputs] + pixel, found != rank {
      throw .rank(file: file, tensor: factors.names.a, stated: rank, found: found)
    }
    for (name, found, expected) in [
      (factors.names.a, a, [rank, weight.inputs] + pixel), (factors.names.b, b, [weight.outputs, rank] + pixel),
    ] where found != expected {
      throw .shape(file: file, tensor: name, expected: expected, found: found)
    }
    return LowRankChange(
      outputs: weight.outputs, inputs: weight.inputs, rank: rank, scale: adapter.scale(of: module),
      isTurned: weight.isTurned)
  }
}

// MARK: - The model as the adapter needs it

extension AdapterMerge {
  /// What `zoo.training` says of the run that made an adapter.
  private struct Origin: Decodable {
    struct Parent: Decodable {
      let digest: String
    }
    let parent: Parent
    let purpose: TextPurpose?
  }

  /// - Throws: ``AdapterError`` where the adapter was trained on another model.
  private static func origin(
    _ adapter: Adapter, _ description: NetworkDescription, digest: String, path: String
  ) throws -> (origin: Origin, description: NetworkDescription)? {
    guard let config = adapter.metadata.config else { return nil }
    let (file, target) = (adapter.folder.weights, try NetworkDescription(json: config))
    func other(_ what: String, _ expected: String, _ found: String) -> AdapterError {
      .otherBase(file: file, model: path, what: what, expected: expected, found: found)
    }
    guard target.family == description.family else { throw other("the family", target.family, description.family) }
    let text = Data((adapter.metadata.training ?? "").utf8)
    guard let origin = try? JSONDecoder().decode(Origin.self, from: text) else {
      throw TrainingError.otherVersion(file: file)
    }
    guard origin.parent.digest == digest else {
      throw other("weights with the digest", "\(origin.parent.digest.prefix(12))…", "\(digest.prefix(12))…")
    }
    return (origin, target)
  }

  private static func base(_ picture: LoadedModel, _ adapter: Adapter) throws -> Base {
    let network = try PretrainedNetwork(picture)
    var description = network.description
    var metadata = CheckpointMetadata()
    metadata.labels = network.labels
    if let own = try origin(adapter, network.description, digest: network.digest, path: picture.path) {
      description = own.description
      metadata = told(by: adapter)
    } else if let classes = try classes(of: description.graph(), adapter), classes != description.classes {
      description.classes = classes
      metadata.labels = numbered(classes)
    }
    metadata.model = network.name
    metadata.config = description.json
    metadata.input = network.input
    return Base(path: picture.path, graph: try description.graph(), stateDict: network.stateDict, metadata: metadata)
  }

  private static func base(_ text: TextModel, _ adapter: Adapter) throws -> Base {
    let digest = try text.metadata.digest ?? Digest.sha256(of: MappedFile(path: text.path))
    var metadata = CheckpointMetadata()
    var network: PretrainedText?
    if let own = try origin(adapter, text.description, digest: digest, path: text.path) {
      network = try PretrainedText(
        text, purpose: own.origin.purpose ?? .classes, labels: adapter.metadata.labels ?? [])
      metadata = told(by: adapter)
    } else {
      metadata.labels = text.labels.isEmpty ? nil : text.labels
      network = try classifier(text, adapter)
      if let network, network.description.classes != text.labels.count || text.task != .textClassification {
        metadata.labels = numbered(network.description.classes)
      }
    }
    let description = network?.description ?? text.description
    metadata.model = text.name
    metadata.config = description.json
    metadata.input = text.metadata.input
    metadata.tokenizer = text.metadata.tokenizer
    let stateDict = try network.map { try $0.pretrained() } ?? text.stateDict
    return Base(path: text.path, graph: try description.graph(), stateDict: stateDict, metadata: metadata)
  }

  /// What the run that made the adapter says of its result.
  private static func told(by adapter: Adapter) -> CheckpointMetadata {
    var metadata = CheckpointMetadata()
    metadata.labels = adapter.metadata.labels
    metadata.problem = adapter.metadata.problem
    metadata.newlyInitialised = adapter.metadata.newlyInitialised
    metadata.training = adapter.metadata.training
    return metadata
  }

  /// A text model with the head of an adapter for classes (`SEQ_CLS`), which the model itself may lack; nil for others.
  private static func classifier(_ text: TextModel, _ adapter: Adapter) throws -> PretrainedText? {
    guard adapter.task == "SEQ_CLS",
      let classifier = try text.description.adapted(to: .textClassification, classes: text.description.classes),
      let classes = try classes(of: classifier.graph(), adapter)
    else { return nil }
    let isSame = text.task == .textClassification && text.labels.count == classes
    return try PretrainedText(text, purpose: .classes, labels: isSame ? text.labels : numbered(classes))
  }

  /// Rows of the last layer that an adapter brings.
  private static func classes(of graph: Graph, _ adapter: Adapter) -> Int? {
    graph.headModule.flatMap { adapter.direct[$0 + ".weight"]?.shape.first }
  }

  /// As Transformers names classes that nobody has named.
  private static func numbered(_ classes: Int) -> [String] { (0..<classes).map { "LABEL_\($0)" } }
}
