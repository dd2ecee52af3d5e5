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
      try zip.add(name + ".npy", prefix: header(dtype, shape: tensor.shape), tensor, as: dtype)
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

  /// Signature, version 1 and the dictionary, padded so that data starts at a multiple of 64 bytes.
  private static func header(_ dtype: DType, shape: [Int]) -> [UInt8] {
    let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    let text = "{'descr': '\(dtype.numPyCode)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
    var header = LittleEndianWriter()
    header.append([0x93] + Array("NUMPY".utf8) + [1, 0])
    header.append(UInt16(length))
    header.append(text.utf8)
    header.append(repeating: 0x20, count: length - text.utf8.count - 1)
    header.append(repeating: 0x0A, count: 1)
    return header.bytes
  }
}

extension DType {
  /// As NumPy spells it in an array's header.
  fileprivate var numPyCode: String {
    switch self {
    case .float64: "<f8"
    case .float32: "<f4"
    case .float16: "<f2"
    case .bfloat16: "|V2"
    case .float8E4M3, .float8E5M2: "|V1"
    case .int64: "<i8"
    case .int32: "<i4"
    case .int16: "<i2"
    case .int8: "|i1"
    case .uint64: "<u8"
    case .uint32: "<u4"
    case .uint16: "<u2"
    case .uint8: "|u1"
    case .bool: "|b1"
    }
  }
}
