import ZooCheckpoint
import ZooFormats

/// `.npz` that `np.load` reads without pickle: stored arrays, a member each, under the tensors' names.
///
/// NumPy has no bfloat16 or float8; they are saved as its own extension types are, as `|V2` and `|V1`. Labels and the
/// rest are in the archive's comment, so that `dict(np.load(f))` holds tensors and nothing else.
enum NumPyExporter: Exporter {
  static let target = ExportTarget.npz
  private static let largestComment = 0xFFFF

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    let file = try AtomicFile(path: path, overwrite: options.overwrite)
    var zip = ZipWriter(file)
    var notes: [String] = []
    var types: [String: DType] = [:]
    for (name, tensor) in source.stateDict.tensors {
      let dtype = tensor.written(as: options.dtype)
      if dtype.numPyCode.hasPrefix("|V"), dtype != .bfloat16 { types[name] = dtype }
      let isPlain = !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
      guard isPlain, name.utf8.count < 0xFFF0, !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\\" })
      else {
        throw ExportError.tensor(
          file: source.path, tensor: name, target: target, problem: "is no plain name", advice: "export to safetensors")
      }
      try zip.add(name + ".npy", prefix: NumPyArrayHeader.bytes(dtype, shape: tensor.shape), tensor, as: dtype)
    }
    if source.stateDict.tensors.values.contains(where: { $0.written(as: options.dtype).numPyCode.hasPrefix("|V") }) {
      notes.append("NumPy shows bfloat16 and float8 as raw bytes: array.view(ml_dtypes.bfloat16)")
    }
    var comment = source.carriedJSON(dtypes: types)
    if comment.utf8.count > largestComment {
      var strings = source.carriedStrings(dtypes: types)
      strings["zoo.labels"] = nil
      comment = CheckpointMetadata.encode(strings)
      notes.append("the labels take more than the 64 KB of a zip's comment and were left out")
    }
    if comment.utf8.count > largestComment {
      comment = ""
      notes.append("what is known of the model takes more than the 64 KB of a zip's comment and was left out")
    }
    try zip.finish(comment: Array(comment.utf8))
    try file.commit()
    return ExportedFile(path: path, bytes: file.count, tensors: source.stateDict.count, notes: notes)
  }
}
