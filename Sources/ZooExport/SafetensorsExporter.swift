import ZooCheckpoint
import ZooFormats

/// Safetensors for other programs: every tied tensor under each of its names, so that a strict load finds them all, and
/// `format: pt`, without which transformers refuses the file.
enum SafetensorsExporter: Exporter {
  static let target = ExportTarget.safetensors

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    var metadata = source.metadata
    if metadata.others["format"] == nil {
      metadata.others["format"] = "pt"
      metadata.others[WeightFile.addedKey] = CheckpointMetadata.encode(["format"])
    }
    let written = try CheckpointWriter.write(
      source.stateDict, metadata: metadata, to: path, dtype: options.dtype, overwrite: options.overwrite,
      isSharing: false)
    return ExportedFile(path: path, bytes: written.bytes, tensors: source.stateDict.count)
  }
}
