import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNX
import ZooText

/// What goes into the checkpoint of a conversion: the tensors under their final names, and what is said of them.
struct ConvertedContent {
  private(set) var stateDict: StateDict
  let identification: Identification?
  let candidates: [Identification]
  private(set) var fit: FitReport?
  private(set) var weightCount = 0
  private(set) var parameterCount = 0
  /// Parameters that are left out or were never there.
  private var absent: [String] = []
  private var kept = KeptEntries()
  private var hasNoHead = false
  /// The files that lie beside a text model's weights.
  private var tokenizer: TokenizerFiles?

  /// - Throws: ``ConversionError``, `CatalogError`, ``TensorError``.
  init(_ source: WeightFile, conversion: Conversion) throws {
    let config = CheckpointMetadata(source.metadata).config
    if let name = conversion.model {
      let model = try conversion.catalog.model(named: name)
      let found = conversion.catalog.identify(source, as: model)
      guard let found, found.isExact || found.isHeadless else {
        let fit =
          found.map { FitReport($0, source.stateDict) }
          ?? FitReport(model: name, naming: model.naming, missing: [], extra: [], misshapen: [])
        throw ConversionError.doesNotFit(file: source.path, fit: fit)
      }
      identification = found
      candidates = [found]
    } else {
      candidates = conversion.catalog.identify(source)
      identification = candidates.certain
      if identification == nil, config == nil, let best = candidates.first {
        let report = FitReport(best, source.stateDict)
        fit = report.isWhole ? nil : report
      }
    }
    stateDict = try identification?.canonical(source.stateDict) ?? source.stateDict
    if config == nil { absent = identification?.missing ?? [] }
    if conversion.dropsHead { try dropHead(source, config: config) }
    weightCount = stateDict.count
    parameterCount = Self.parameterCount(stateDict)
    try carry(source, conversion.keeps)
    if let identification, try !identification.description.task().isVision {
      tokenizer = try conversion.tokenizer ?? TokenizerFiles(beside: source.path)
    }
  }

  private mutating func dropHead(_ source: WeightFile, config: String?) throws {
    let graph = try config.map { try Catalog.graph(forConfig: $0) } ?? identification?.description.graph()
    guard let graph, let head = graph.headModule else {
      throw ConversionError.noHead(file: source.path, model: identification?.model.name)
    }
    for parameter in graph.parameters where parameter.name.hasPrefix(head + ".") {
      stateDict[parameter.name] = nil
      if !absent.contains(parameter.name) { absent.append(parameter.name) }
    }
    hasNoHead = true
  }

  private mutating func carry(_ source: WeightFile, _ keeps: KeptSides) throws {
    for side in source.sides where side.isRead && (side.isCarried || keeps.includes(side)) {
      for (name, tensor) in side.tensors.tensors {
        guard stateDict.tensors.updateValue(tensor, forKey: name) == nil else {
          throw ConversionError.keptNameTaken(file: source.path, name: name)
        }
        kept.tensors.append(name)
      }
      kept.values.merge(side.values) { first, _ in first }
    }
  }

  /// Adds what is said of absent parameters and of what is carried along.
  func completing(_ metadata: CheckpointMetadata) -> CheckpointMetadata {
    var metadata = metadata
    metadata.absent += absent.filter { !metadata.absent.contains($0) }
    metadata.kept = kept
    if hasNoHead { (metadata.labels, metadata.problem) = (nil, .classes) }
    if let tokenizer { metadata.tokenizer = tokenizer.text }
    return metadata
  }

  /// Trainable scalars, as far as names tell: floating-point tensors that are not BatchNorm's statistics.
  private static func parameterCount(_ stateDict: StateDict) -> Int {
    stateDict.tensors.reduce(0) { sum, entry in
      let isStatistic = entry.key.hasSuffix(".running_mean") || entry.key.hasSuffix(".running_var")
      return entry.value.dtype.isFloatingPoint && !isStatistic ? sum + entry.value.elementCount : sum
    }
  }
}
