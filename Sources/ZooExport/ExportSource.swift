import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats
import ZooGraph
import ZooONNX

/// A network's weights as an exporter gets them: under canonical names, with all that is known of them.
public struct ExportSource: Sendable {
  /// As the user gave it.
  public let path: String
  /// Views of the source under canonical names and layouts (PyTorch's: OIHW, [out, in]); tied tensors share their
  /// storage.
  public let stateDict: StateDict
  /// What the canonical checkpoint of these weights says of itself; `digest` is nil, for it is of other bytes.
  public let metadata: CheckpointMetadata
  /// Architecture and head; nil for weights that are in no catalogue.
  public let description: NetworkDescription?
  /// The network of ``description``.
  public let graph: Graph?

  /// Opens weights of any format, as `convert` does, and checks the bytes against their archive's checksums.
  ///
  /// - Throws: what opening the file throws; `CatalogError`, `FamilyError`.
  public init(path: String, catalog: Catalog) throws {
    let file = try WeightFile.open(path: path)
    try file.checkRecords()
    let own = CheckpointMetadata(file.metadata)
    let identification = own.config == nil ? catalog.identify(file).certain : nil
    var metadata = own
    if own.config == nil, own.source == nil {
      metadata = try SourceDescription(source: file, identification: identification).described(by: catalog)
    }
    try self.init(
      path: path, stateDict: identification?.canonical(file.stateDict) ?? file.stateDict, metadata: metadata)
  }

  /// - Parameter stateDict: under canonical names where `metadata` has a `config`.
  /// - Throws: `CatalogError`, `FamilyError` where the configuration can't be built.
  public init(path: String, stateDict: StateDict, metadata: CheckpointMetadata) throws {
    self.path = path
    self.stateDict = stateDict
    var metadata = metadata
    metadata.digest = nil
    metadata.aliases = stateDict.separatingAliases().aliases
    metadata.stateDictVersions = Dictionary(uniqueKeysWithValues: stateDict.versions.map { ($0.key, $0.value) })
    self.metadata = metadata
    description = try metadata.config.map { try NetworkDescription(json: $0) }
    graph = try description?.graph()
  }

  /// Names of the tensors that no optimizer changes: BatchNorm's statistics and counters, integers.
  ///
  /// The graph says so where it is known, else the names do.
  public var buffers: Set<String> {
    let known = graph.map { Set($0.parameters.filter(\.isBuffer).map(\.name)) } ?? []
    return Set(
      stateDict.tensors.compactMap { name, tensor in
        let isStatistic = [".running_mean", ".running_var", ".num_batches_tracked"].contains { name.hasSuffix($0) }
        return isStatistic || !tensor.dtype.isFloatingPoint || known.contains(name) ? name : nil
      })
  }
}
