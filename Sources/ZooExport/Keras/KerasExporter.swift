import ZooCatalog
import ZooCheckpoint
import ZooFormats

/// `.weights.h5` as Keras 3's `model.save_weights` writes it, for the networks of Keras Applications.
///
/// Labels, preprocessing and the source are attributes of the root, which Keras doesn't look at.
enum KerasExporter: Exporter {
  static let target = ExportTarget.keras

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    let map = try nameMap(for: source)
    let layout = try KerasLayout(source.stateDict, map: map, file: source.path)
    let file = try AtomicFile(path: path, overwrite: options.overwrite)
    let structure = try HDF5Structure(
      layout, dtype: options.dtype, name: source.metadata.model ?? map.family, strings: strings(of: source),
      source: source.path, path: file.temporaryPath)
    for (variable, tensor) in layout.variables where tensor.elementCount > 0 {
      guard let place = structure.places[variable] else {
        throw KerasExportError.library(file: path, path: variable)
      }
      var offset = place.offset
      try tensor.forEachPiece(as: place.dtype) { bytes in
        try file.write(bytes, at: offset)
        offset += bytes.count
      }
    }
    let bytes = try MappedFile(path: file.temporaryPath).count
    try file.commit()
    return ExportedFile(
      path: path, bytes: bytes, tensors: source.stateDict.count, notes: notes(layout, map: map, source: source))
  }

  /// The Keras naming of the source's network.
  private static func nameMap(for source: ExportSource) throws -> NameMap {
    let maps = try Catalog.standard().nameMaps.filter { $0.naming == "keras" && !$0.paths.isEmpty }
    let network = source.metadata.model
    if source.description?.foldedBatchNormalization == true {
      throw KerasExportError.foldedBatchNormalization(file: source.path)
    }
    guard let description = source.description, let network,
      let map = maps.first(where: { $0.family == description.family && $0.models?.contains(network) == true })
    else {
      throw KerasExportError.noNaming(
        file: source.path, network: network, known: maps.flatMap { $0.models ?? [] }.sorted())
    }
    return map
  }

  private static func strings(of source: ExportSource) -> [(name: String, text: String)] {
    let kept = ["zoo.labels", "zoo.problemType", "zoo.input", "zoo.source", "zoo.training"]
    return source.metadata.strings.filter { kept.contains($0.key) }.sorted { $0.key < $1.key }
      .map { (name: $0.key, text: $0.value) }
  }

  private static func notes(_ layout: KerasLayout, map: NameMap, source: ExportSource) -> [String] {
    var notes: [String] = []
    let counters = layout.dropped.filter { $0.hasSuffix(".num_batches_tracked") }.count
    if counters > 0 { notes.append("\(counters) num_batches_tracked are left out: Keras counts no batches") }
    let constants = layout.dropped.count - counters
    if constants > 0 { notes.append("\(constants) constant tensors are left out, as Keras does") }
    if let head = source.graph?.headModule, source.stateDict[head + ".weight"] == nil {
      notes.append("without a classifier: load it into a model made with include_top=False")
    }
    return notes
  }
}
