import ZooCheckpoint

/// Makes tensors of ONNX's TensorProto, wherever it keeps the data: raw, by type, in the mapped file or in another one.
///
/// Source: onnx.proto's comments on TensorProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
struct ONNXTensorReader {
  let file: MappedFile
  let externalData: ONNXExternalData

  /// - Returns: nil for text, which is no tensor.
  /// - Throws: ``ONNXError``, `TensorError`, `FileError`.
  func tensor(_ entry: ONNXIndex.TensorEntry, name: String) throws -> Tensor? {
    func fail(_ fault: ONNXError.Fault) -> ONNXError { ONNXError(file: file.path, place: name, fault: fault) }
    if entry.dataType == 8 { return nil }
    guard let type = ONNXElementType(entry.dataType) else { throw fail(.unknownDataType(entry.dataType)) }
    guard entry.dims.count <= 64, let count = HDF5Reader.byteCount(entry.dims, 1), count < 1 << 47 else {
      throw fail(.shape(entry.dims))
    }
    let source = ONNXTensorSource(entry: entry, type: type, count: count, name: name)
    let storage = try storage(source)
    guard storage.count == source.storedSize else {
      throw fail(.dataSize(found: storage.count, needed: source.storedSize))
    }
    return try Tensor(dtype: type.dtype, shape: entry.dims, storage: type.unpacked(storage, count: count))
  }

  private func storage(_ source: ONNXTensorSource) throws -> any ByteStorage {
    func fail(_ fault: ONNXError.Fault) -> ONNXError { ONNXError(file: file.path, place: source.name, fault: fault) }
    let entry = source.entry
    let payloads = entry.payloads ?? []
    let fields = source.inlineFields + payloads.compactMap { ONNXTensorSource.Field(rawValue: $0.field) }
    guard fields.count + (entry.external == nil ? 0 : 1) <= 1 else { throw fail(.severalData) }
    if let external = entry.external {
      return try externalData.storage(external, tensor: source)
    }
    guard let field = fields.first else { return MemoryStorage([]) }
    guard field.holds(source.type) else { throw fail(.wrongField(field.name, source.type.dtype)) }
    guard let payload = payloads.first else { return source.inlineStorage(field) }
    let mapped = try MappedStorage(file: file, offset: payload.offset, count: payload.count)
    guard field.isPacked else { return mapped }
    return try ONNXPackedNumbers(
      mapped, size: source.type.storedSize, count: source.storedSize / source.type.storedSize, name: source.name)
  }
}

/// A TensorProto on its way to a tensor.
struct ONNXTensorSource {
  let entry: ONNXIndex.TensorEntry
  let type: ONNXElementType
  /// Number of elements.
  let count: Int
  let name: String

  /// Fields of TensorProto.
  enum Field: Int {
    case floats = 4
    case int32s = 5
    case int64s = 7
    case raw = 9
    case doubles = 10
    case uint64s = 11

    /// As onnx.proto calls it.
    var name: String {
      switch self {
      case .floats: "float_data"
      case .int32s: "int32_data"
      case .int64s: "int64_data"
      case .raw: "raw_data"
      case .doubles: "double_data"
      case .uint64s: "uint64_data"
      }
    }

    /// Whether elements are varints rather than bytes of their own size.
    var isPacked: Bool {
      switch self {
      case .int32s, .int64s, .uint64s: true
      case .floats, .raw, .doubles: false
      }
    }

    /// Half precision and all small types stand in `int32_data` as their bits.
    func holds(_ type: ONNXElementType) -> Bool {
      switch self {
      case .raw: true
      case .floats: type.dtype == .float32
      case .doubles: type.dtype == .float64
      case .int64s: type.dtype == .int64
      case .uint64s: type.dtype == .uint64 || type.dtype == .uint32
      case .int32s: type.dtype == .int32 || type.storedSize < 4
      }
    }
  }

  /// Bytes that the elements take in the file.
  var storedSize: Int { type.isNibble ? (count + 1) / 2 : count * type.dtype.size }

  var inlineFields: [Field] {
    var fields: [Field] = []
    if entry.raw != nil { fields.append(.raw) }
    if entry.floats != nil { fields.append(.floats) }
    if entry.int32s != nil { fields.append(.int32s) }
    if entry.int64s != nil { fields.append(.int64s) }
    if entry.doubles != nil { fields.append(.doubles) }
    if entry.uint64s != nil { fields.append(.uint64s) }
    return fields
  }

  func inlineStorage(_ field: Field) -> MemoryStorage {
    switch field {
    case .raw: MemoryStorage(entry.raw ?? [])
    case .floats: MemoryStorage(copying: entry.floats ?? [])
    case .doubles: MemoryStorage(copying: entry.doubles ?? [])
    case .int32s: lowBytes((entry.int32s ?? []).map { UInt64(bitPattern: Int64($0)) })
    case .int64s: lowBytes((entry.int64s ?? []).map { UInt64(bitPattern: $0) })
    case .uint64s: lowBytes(entry.uint64s ?? [])
    }
  }

  private func lowBytes(_ numbers: [UInt64]) -> MemoryStorage {
    var bytes: [UInt8] = []
    for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0.prefix(type.storedSize) } }
    return MemoryStorage(bytes)
  }
}
