import ZooCheckpoint

/// The element type of a PyTorch storage, by the name of its class or dtype.
enum StorageType: Sendable, Equatable {
  case elements(DType)
  /// Bytes whose type each tensor states itself.
  case untyped
  /// A type that has no plain values, in words: `complex64`, `quantized qint8`.
  case unsupported(String)

  /// - Parameter className: `torch.FloatStorage`, `torch.storage.UntypedStorage`, ...; CUDA's names too.
  init?(className: String) {
    let name = className.split(separator: ".").last.map(String.init) ?? ""
    guard className.hasPrefix("torch."), let type = Self.storages[name] else { return nil }
    self = type
  }

  /// - Parameter dtypeName: `torch.uint16`, ...
  init?(dtypeName: String) {
    guard dtypeName.hasPrefix("torch.") else { return nil }
    let name = String(dtypeName.dropFirst("torch.".count))
    if let dtype = DType(name: Self.dtypeAliases[name] ?? name) {
      self = .elements(dtype)
    } else {
      self = .unsupported(name)
    }
  }

  /// Bytes an element takes; nil where that isn't known.
  var elementSize: Int? {
    switch self {
    case .elements(let dtype): dtype.size
    case .untyped: 1
    case .unsupported(let name): Self.unsupportedSizes[name]
    }
  }

  private static let storages: [String: StorageType] = [
    "DoubleStorage": .elements(.float64), "FloatStorage": .elements(.float32), "HalfStorage": .elements(.float16),
    "BFloat16Storage": .elements(.bfloat16), "LongStorage": .elements(.int64), "IntStorage": .elements(.int32),
    "ShortStorage": .elements(.int16), "CharStorage": .elements(.int8), "ByteStorage": .elements(.uint8),
    "BoolStorage": .elements(.bool), "UInt16Storage": .elements(.uint16), "UInt32Storage": .elements(.uint32),
    "UInt64Storage": .elements(.uint64), "Float8_e4m3fnStorage": .elements(.float8E4M3),
    "Float8_e5m2Storage": .elements(.float8E5M2), "UntypedStorage": .untyped,
    "ComplexHalfStorage": .unsupported("complex32"), "ComplexFloatStorage": .unsupported("complex64"),
    "ComplexDoubleStorage": .unsupported("complex128"), "QInt8Storage": .unsupported("quantized qint8"),
    "QUInt8Storage": .unsupported("quantized quint8"), "QInt32Storage": .unsupported("quantized qint32"),
    "QUInt4x2Storage": .unsupported("quantized quint4x2"), "QUInt2x4Storage": .unsupported("quantized quint2x4"),
  ]

  private static let dtypeAliases = ["float": "float32", "double": "float64", "half": "float16", "long": "int64"]

  private static let unsupportedSizes = [
    "complex32": 4, "complex64": 8, "complex128": 16, "quantized qint8": 1, "quantized quint8": 1,
    "quantized qint32": 4, "quantized quint4x2": 1, "quantized quint2x4": 1,
  ]
}
