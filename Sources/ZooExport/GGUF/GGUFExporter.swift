import ZooCheckpoint
import ZooFormats

/// GGUF version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), as gguf-py and ggml read it.
///
/// Types that GGML lacks stand as integers of the same bits, names that are too long for it as `tensor.N`; both are
/// told in the metadata, beside labels and preprocessing.
enum GGUFExporter: Exporter {
  static let target = ExportTarget.gguf
  private static let alignment = 64
  /// GGML's room for a name is 64 bytes with the zero that ends it.
  private static let longestName = 63
  private static let mostDimensions = 4

  private struct Entry {
    let name: String
    let tensor: Tensor
    let dtype: DType
    let offset: Int
  }

  static func write(_ source: ExportSource, to path: String, options: ExportOptions) throws -> ExportedFile {
    var entries: [Entry] = []
    var (types, names, notes): ([String: DType], [String: String], [String]) = ([:], [:], [])
    var offset = 0
    for (name, tensor) in source.stateDict.tensors {
      guard tensor.shape.count <= mostDimensions else {
        throw ExportError.tensor(
          file: source.path, tensor: name, target: target, problem: "has \(tensor.shape.count) dimensions",
          advice: "export to safetensors")
      }
      let dtype = tensor.written(as: options.dtype)
      if dtype.ggmlType.standsFor { types[name] = dtype }
      var short = name
      if name.utf8.count > longestName {
        short = "tensor.\(names.count)"
        while source.stateDict[short] != nil { short += "_" }
        names[short] = name
      }
      entries.append(Entry(name: short, tensor: tensor, dtype: dtype, offset: offset))
      offset += padded(tensor.elementCount * dtype.size)
    }
    if !types.isEmpty {
      notes.append("\(types.count) tensors stand as integers of the same bits: GGUF lacks their type")
    }
    if !names.isEmpty { notes.append("\(names.count) names longer than 63 bytes stand as tensor.N") }
    let file = try AtomicFile(path: path, overwrite: options.overwrite)
    let header = header(entries, pairs: pairs(source, types: types, names: names))
    try header.withUnsafeBytes { try file.write($0) }
    for entry in entries {
      try file.append(entry.tensor, as: entry.dtype)
      try pad(file)
    }
    try file.commit()
    return ExportedFile(path: path, bytes: file.count, tensors: entries.count, notes: notes)
  }

  private static func pad(_ file: AtomicFile) throws {
    let zeros = [UInt8](repeating: 0, count: padded(file.count) - file.count)
    try zeros.withUnsafeBytes { try file.write($0) }
  }

  private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

  /// Metadata in order: GGUF's own keys, then zoo's.
  private static func pairs(
    _ source: ExportSource, types: [String: DType], names: [String: String]
  ) -> [(key: String, value: String)] {
    // An architecture's name is lower-case letters and digits.
    let family = source.description?.family.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    var pairs = [("general.architecture", family ?? "unknown"), ("general.type", "model")]
    if let model = source.metadata.model { pairs.append(("general.name", model)) }
    var strings = source.carriedStrings(dtypes: types)
    let others = strings.filter { !$0.key.hasPrefix("zoo.") }
    for key in others.keys { strings[key] = nil }
    if !others.isEmpty { strings[WeightFile.othersKey] = CheckpointMetadata.encode(others) }
    if !names.isEmpty { strings[WeightFile.namesKey] = CheckpointMetadata.encode(names) }
    return pairs + strings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func header(_ entries: [Entry], pairs: [(key: String, value: String)]) -> [UInt8] {
    var header = LittleEndianWriter()
    func append(_ text: String) {
      header.append(UInt64(text.utf8.count))
      header.append(text.utf8)
    }
    header.append("GGUF".utf8)
    header.append(UInt32(3))
    header.append(UInt64(entries.count))
    header.append(UInt64(pairs.count + 1))
    append("general.alignment")
    header.append(UInt32(4))
    header.append(UInt32(alignment))
    for pair in pairs {
      append(pair.key)
      header.append(UInt32(8))
      append(pair.value)
    }
    for entry in entries {
      append(entry.name)
      header.append(UInt32(entry.tensor.shape.count))
      for size in entry.tensor.shape.reversed() { header.append(UInt64(size)) }
      header.append(entry.dtype.ggmlType.number)
      header.append(UInt64(entry.offset))
    }
    header.append(repeating: 0, count: padded(header.bytes.count) - header.bytes.count)
    return header.bytes
  }
}

extension DType {
  /// GGML's number, and whether it is of another type of the same size.
  fileprivate var ggmlType: (number: UInt32, standsFor: Bool) {
    switch self {
    case .float32: (0, false)
    case .float16: (1, false)
    case .int8: (24, false)
    case .int16: (25, false)
    case .int32: (26, false)
    case .int64: (27, false)
    case .float64: (28, false)
    case .bfloat16: (30, false)
    case .uint8, .bool, .float8E4M3, .float8E5M2: (24, true)
    case .uint16: (25, true)
    case .uint32: (26, true)
    case .uint64: (27, true)
    }
  }
}
