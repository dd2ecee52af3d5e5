import Foundation
import ZooCheckpoint
import ZooGraph

/// A model that a state dict may be, and how well it fits.
public struct Identification: Sendable {
  public struct Misshapen: Sendable, Equatable {
    /// The canonical name.
    public let name: String
    public let expected: [Int]
    public let found: [Int]
  }

  public let model: Model
  /// The model's configuration, or that of the variant that fits.
  public let config: JSONValue
  /// Which of the model's configurations it is, of which the first is the usual one.
  let variant: Int
  /// Whose tensor names the state dict uses: `torchvision`, `timm`, `efficientnet-pytorch`.
  public let naming: String
  /// The map from those names to the canonical ones; nil where they are canonical already.
  public let nameMap: NameMap?
  /// Outputs of the classifier; nil where the state dict has none, 0 where the network is for something else.
  public let classes: Int?
  /// Canonical names that the state dict lacks.
  public let missing: [String]
  /// Tensors that the model doesn't have, by their own names.
  public let extra: [String]
  public let misshapen: [Misshapen]
  /// What makes it another network though its tensors fit, in words: another activation, another padding.
  public let differences: [String]
  /// The last stages where exactly those are missing: `["head"]` for weights published without their classifier.
  public let absentStages: [String]
  /// Tensors that fit, as a share of those expected and those extra together: 1 is a perfect fit.
  public let score: Double
  /// Whether each BatchNorm is folded into the convolution before it, as exporters do for inference.
  public private(set) var isFolded = false
  /// Whether the publisher's `config.json` told which network it is.
  let isDescribed: Bool
  /// Preprocessing that the publisher's `config.json` tells.
  private let publishedInput: JSONValue?
  /// The canonical tensors, where they were found by their place in a graph.
  private var placed: StateDict?

  public var isExact: Bool { missing.isEmpty && extra.isEmpty && misshapen.isEmpty && differences.isEmpty }
  /// Whether the network fits but for its last stages, which have no weights.
  public var isHeadless: Bool {
    !absentStages.isEmpty && extra.isEmpty && misshapen.isEmpty && differences.isEmpty
  }

  /// An exact fit that was found by the graph's structure.
  package init(
    model: Model, config: JSONValue? = nil, naming: String, classes: Int?, stateDict: StateDict, isFolded: Bool
  ) {
    self.init(
      model: model, config: config ?? model.config, naming: naming, nameMap: nil, classes: classes, missing: [],
      extra: [], misshapen: [], absentStages: [], score: 1)
    placed = stateDict
    self.isFolded = isFolded
  }

  init(
    model: Model, config: JSONValue, variant: Int = 0, naming: String, nameMap: NameMap?, classes: Int?,
    missing: [String],
    extra: [String], misshapen: [Misshapen], differences: [String] = [], absentStages: [String], score: Double,
    isDescribed: Bool = false, publishedInput: JSONValue? = nil
  ) {
    self.model = model
    self.config = config
    self.variant = variant
    self.naming = naming
    self.nameMap = nameMap
    self.classes = classes
    self.missing = missing
    self.extra = extra
    self.misshapen = misshapen
    self.differences = differences
    self.isDescribed = isDescribed
    self.publishedInput = publishedInput
    self.absentStages = absentStages
    self.score = score
  }

  /// Architecture and head of the weights as they are.
  public var description: NetworkDescription {
    var description = NetworkDescription(family: model.family, config: config, classes: classes ?? model.classes)
    description.foldedBatchNormalization = isFolded ? true : nil
    return description
  }

  /// Whether the model steps back for the other's, or is the same in another variant.
  fileprivate func isTwin(of other: Identification) -> Bool {
    naming == other.naming && [model.name, model.twinOf].contains(other.model.name)
  }

  /// Networks of other computations that have the same names and shapes, where nothing tells which one it is.
  public var caution: String? { isDescribed ? nil : nameMap?.caution }

  /// What the publisher's networks have otherwise than the model, in words: `epsilon 1e-12`.
  public var ownSettings: [String] {
    guard case .object(let fields) = config, nameMap != nil else { return [] }
    return fields.sorted { $0.key < $1.key }
      .filter { entry in !model.configs.contains { $0[entry.key] == entry.value } }
      .map { "\($0.key) \(CheckpointMetadata.encode($0.value))" }
  }

  /// Preprocessing of those who use the naming, as JSON; nil where it is the model's.
  public var ownInput: String? {
    (publishedInput ?? nameMap?.input).map { CheckpointMetadata.encode(fitted($0)) }
  }

  /// The model's preprocessing for pictures of the size that the weights are for, as JSON.
  public var input: String {
    let known = [model.preprocessing] + model.weights.compactMap(\.input)
    return CheckpointMetadata.encode(known.first { $0 == fitted($0) } ?? fitted(model.preprocessing))
  }

  /// Side of the pictures that the weights' positions are learnt for; nil where they have none.
  public var pictureSide: Int? {
    guard let json = try? JSONEncoder().encode(config) else { return nil }
    return (try? NetworkFamilies.pictureSide(family: model.family, config: json)) ?? nil
  }

  /// Preprocessing that gives pictures of ``pictureSide``.
  private func fitted(_ input: JSONValue) -> JSONValue {
    guard let side = pictureSide.map({ JSONValue.number(Double($0)) }), input["size"] != .array([side, side]) else {
      return input
    }
    return input.replacing(.object(["size": .array([side, side]), "resize": side, "crop": side]))
  }

  /// The state dict under canonical names and layouts.
  ///
  /// - Throws: ``CatalogError``, ``TensorError``.
  public func canonical(_ stateDict: StateDict) throws -> StateDict {
    if let placed { return placed }
    let graph = try description.graph()
    guard let nameMap else { return try stateDict.tied(for: graph).completed(for: graph) }
    let renamed = try nameMap.apply(.importing, to: stateDict).stateDict.tied(for: graph)
    let expected = graph.parameters.map { ($0.name, $0.shape) }
    return try nameMap.filling(renamed, expected: expected).ordered(by: expected.map(\.0))
      .completed(for: graph)
  }
}

extension StateDict {
  /// Tensors that the network has once are one tensor, whatever names and bytes the file has for them.
  ///
  /// - Throws: ``CatalogError/untied(alias:name:)`` where the bytes differ; ``TensorError``.
  fileprivate func tied(for graph: Graph) throws -> StateDict {
    var result = self
    for (alias, name) in graph.aliases.sorted(by: { $0.key < $1.key }) {
      guard let second = self[alias] else { continue }
      // A checkpoint stores the first of the names.
      result[alias] = nil
      let first = result[name] ?? second
      guard try second.isSame(as: first) else { throw CatalogError.untied(alias: alias, name: name) }
      result[name] = first
      result[alias] = first
    }
    return result
  }

  /// Buffers that follow from the configuration; not every publisher saves them, torchvision asks for them.
  fileprivate func completed(for graph: Graph) throws -> StateDict {
    var result = self
    for table in graph.coordinateTables where result[table.name] == nil {
      result[table.name] = try Tensor(
        dtype: .float32, shape: table.shape, storage: MemoryStorage(copying: table.values))
    }
    for buffer in graph.indexBuffers where result[buffer.name] == nil {
      result[buffer.name] = try Tensor(
        dtype: .int64, shape: buffer.shape, storage: MemoryStorage(copying: buffer.values))
    }
    return result
  }

  /// The tensors in the model's order, whatever order the naming's format gives them; others follow in theirs.
  fileprivate func ordered(by names: [String]) -> StateDict {
    var result = StateDict(versions: versions)
    for name in names { result[name] = self[name] }
    for (name, tensor) in tensors where result[name] == nil { result[name] = tensor }
    return result
  }
}

extension [Identification] {
  /// The one model that the state dict is beyond doubt: it fits whole, or but for its last stages, and no other network
  /// does as well but its twin. Of a model's variants the usual configuration comes first.
  public var certain: Identification? {
    guard let best = first, best.isExact || best.isHeadless else { return nil }
    return dropFirst().contains { $0.score == best.score && !$0.isTwin(of: best) } ? nil : best
  }
}
