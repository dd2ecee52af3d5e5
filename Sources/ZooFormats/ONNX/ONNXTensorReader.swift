import Foundation
import Synchronization
import ZooCheckpoint

/// Makes tensors of ONNX's TensorProto, wherever it keeps the data: raw, by type, in the mapped file or in another one.
///
/// Source: onnx.proto's comments on TensorProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
struct ONNXTensorReader {
  let file: MappedFile
  let externalData: ONNXExternalData

  /// Fields of TensorProto.
  private enum Field: Int {
    case floats = 4
    case int32s = 5
    case int64s = 7
    case raw = 9
    case doubles = 10
    case uint64s = 11
  }

  /// - Returns: nil for text, which is no tensor.
  /// - Throws: ``ONNXError``, `TensorError`, `FileError`.
  func tensor(_ entry: ONNXIndex.TensorEntry, name: String) throws -> Tensor? {
    func fail(_ fault: ONNXError.Fault) -> ONNXError { ONNXError(file: file.path, place: name, fault: fault) }
    if entry.dataType == 8 { return nil }
    guard let dtype = Self.dtype(entry.dataType) else { throw fail(.unknownDataType(entry.dataType)) }
    guard entry.dims.count <= 64, let size = HDF5Reader.byteCount(entry.dims, dtype.size), size < 1 << 50 else {
      throw fail(.shape(entry.dims))
    }
    let storage = try storage(entry, dtype: dtype, count: size / dtype.size, name: name)
    guard storage.count == size else { throw fail(.dataSize(found: storage.count, needed: size)) }
    return try Tensor(dtype: dtype, shape: entry.dims, storage: storage)
  }

  private func storage(
    _ entry: ONNXIndex.TensorEntry, dtype: DType, count: Int, name: String
  ) throws -> any ByteStorage {
    if let external = entry.external {
      return try externalData.storage(external, size: count * dtype.size, tensor: name)
    }
    let payloads = entry.payloads ?? []
    guard payloads.count <= 1 else { throw ONNXError(file: file.path, place: name, fault: .severalData) }
    if let payload = payloads.first {
      let mapped = try MappedStorage(file: file, offset: payload.offset, count: payload.count)
      switch Field(rawValue: payload.field) {
      case .raw, .floats, .doubles: return mapped
      case .int32s, .int64s, .uint64s: return try ONNXPackedNumbers(mapped, dtype: dtype, count: count, name: name)
      case nil: throw ONNXError(file: file.path, place: name, fault: .badNumbers)
      }
    }
    if let raw = entry.raw { return MemoryStorage(raw) }
    if let floats = entry.floats { return MemoryStorage(copying: floats) }
    if let doubles = entry.doubles { return MemoryStorage(copying: doubles) }
    let numbers =
      entry.int32s?.map { UInt64(bitPattern: Int64($0)) } ?? entry.int64s?.map { UInt64(bitPattern: $0) }
      ?? entry.uint64s ?? []
    var bytes: [UInt8] = []
    for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0.prefix(dtype.size) } }
    return MemoryStorage(bytes)
  }

  static func dtype(_ number: Int) -> DType? {
    switch number {
    case 1: .float32
    case 2: .uint8
    case 3: .int8
    case 4: .uint16
    case 5: .int16
    case 6: .int32
    case 7: .int64
    case 9: .bool
    case 10: .float16
    case 11: .float64
    case 12: .uint32
    case 13: .uint64
    case 16: .bfloat16
    case 17: .float8E4M3
    case 19: .float8E5M2
    default: nil
    }
  }
}

/// Numbers packed one varint each, of which the low bytes count: half precision as bits, small integers, booleans.
final class ONNXPackedNumbers: ByteStorage {
  let count: Int
  private let packed: MappedStorage
  private let size: Int
  private let elements: Int
  private let name: String

  /// - Throws: ``ONNXError`` where there are not as many numbers as elements.
  init(_ packed: MappedStorage, dtype: DType, count: Int, name: String) throws {
    self.packed = packed
    self.name = name
    size = dtype.size
    elements = count
    self.count = count * dtype.size
    // Each number ends with the one byte whose top bit is clear.
    let found = try packed.withBytes { $0.reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) } }
    guard found == count else {
      throw ONNXError(
        file: packed.file.path, place: name, fault: .dataSize(found: found * dtype.size, needed: count * dtype.size))
    }
  }

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      try packed.withBytes { source in
        var (value, shift, written) = (UInt64(0), UInt64(0), 0)
        for byte in source {
          guard shift < 64 else { throw ONNXError(file: packed.file.path, place: name, fault: .badNumbers) }
          value |= UInt64(byte & 0x7F) << shift
          shift += 7
          if byte >= 0x80 { continue }
          for place in 0..<size { target[written + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * place)) }
          written += size
          (value, shift) = (0, 0)
        }
        initialized = written
      }
    }
    return try bytes.withUnsafeBytes(body)
  }
}
