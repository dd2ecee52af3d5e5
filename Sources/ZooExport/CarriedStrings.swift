import ZooCheckpoint
import ZooFormats

extension ExportSource {
  /// What the canonical checkpoint says of itself, for formats with a place for pairs of strings.
  ///
  /// - Parameters:
  ///   - order: the names as the checkpoint has them, where the format has an order of its own.
  ///   - dtypes: types that the format had to call otherwise.
  func carriedStrings(order: [String]? = nil, dtypes: [String: DType] = [:]) -> [String: String] {
    var strings = metadata.strings
    strings[WeightFile.orderKey] = order.map(CheckpointMetadata.encode)
    if !dtypes.isEmpty { strings[WeightFile.typesKey] = CheckpointMetadata.encode(dtypes.mapValues(\.rawValue)) }
    return strings
  }

  /// The same as one JSON object.
  func carriedJSON(order: [String]? = nil, dtypes: [String: DType] = [:]) -> String {
    CheckpointMetadata.encode(carriedStrings(order: order, dtypes: dtypes))
  }
}
