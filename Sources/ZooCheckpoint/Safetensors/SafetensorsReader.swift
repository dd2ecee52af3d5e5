import OrderedCollections

/// How a safetensors file contradicts its format.
public enum SafetensorsError: Error, Sendable, Equatable {
  case headerTooLarge(file: String, size: UInt64, limit: Int)
  case malformedHeader(file: String, offset: Int, problem: String)
  case unknownDType(file: String, tensor: String, dtype: String)
  case sizeMismatch(file: String, tensor: String, shape: [Int], dtype: DType, needed: Int, range: [Int])
  case tooLarge(file: String, tensor: String, shape: [Int])
  case notAdjacent(file: String, tensor: String, begins: Int, expected: Int)
  case dataSize(file: String, described: Int, found: Int)
}

/// Reads safetensors (https://huggingface.co/docs/safetensors): 8 bytes of header size, a JSON header, the data.
public enum SafetensorsReader {
  /// The format's own limit on the header.
  public static let headerLimit = 100_000_000

  /// The tensors as views of the mapped file, in the header's order, and the metadata strings.
  ///
  /// Every tensor's range must match its shape, and together they must fill the data section without gap or overlap.
  /// - Throws: ``SafetensorsError``, ``FileError``.
  public static func read(_ file: MappedFile) throws -> (stateDict: StateDict, metadata: [String: String]) {
    let dataStart = try dataOffset(of: file)
    let header = try file.withBytes(offset: 8, count: dataStart - 8) { try HeaderScanner($0, file: file.path) }
    try checkCoverage(header.entries, dataSize: file.count - dataStart, file: file.path)
    var stateDict = StateDict()
    stateDict.tensors.reserveCapacity(header.entries.count)
    for entry in header.entries {
      guard let dtype = DType(rawValue: entry.dtype) else {
        throw SafetensorsError.unknownDType(file: file.path, tensor: entry.name, dtype: entry.dtype)
      }
      guard let elements = try? Tensor.elementCount(entry.shape) else {
        throw SafetensorsError.tooLarge(file: file.path, tensor: entry.name, shape: entry.shape)
      }
      let size = entry.range[1] - entry.range[0]
      guard elements * dtype.size == size else {
        throw SafetensorsError.sizeMismatch(
          file: file.path, tensor: entry.name, shape: entry.shape, dtype: dtype, needed: elements * dtype.size,
          range: entry.range)
      }
      let storage = try MappedStorage(file: file, offset: dataStart + entry.range[0], count: size)
      stateDict.tensors[entry.name] = try Tensor(dtype: dtype, shape: entry.shape, storage: storage)
    }
    return (stateDict, header.metadata)
  }

  /// Where the data section starts.
  public static func dataOffset(of file: MappedFile) throws -> Int {
    let size = try file.withBytes(offset: 0, count: 8) { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard size <= UInt64(headerLimit), size <= UInt64(file.count - 8) else {
      throw SafetensorsError.headerTooLarge(file: file.path, size: size, limit: min(headerLimit, file.count - 8))
    }
    return 8 + Int(size)
  }

  private static func checkCoverage(_ entries: [HeaderScanner.Entry], dataSize: Int, file: String) throws {
    for entry in entries {
      guard entry.range.count == 2, entry.range[0] <= entry.range[1] else {
        throw SafetensorsError.malformedHeader(
          file: file, offset: entry.place,
          problem: "tensor \"\(entry.name)\": data_offsets \(entry.range) are not [begin, end]")
      }
    }
    var end = 0
    for entry in entries.sorted(by: { ($0.range[0], $0.range[1]) < ($1.range[0], $1.range[1]) }) {
      guard entry.range[0] == end else {
        throw SafetensorsError.notAdjacent(file: file, tensor: entry.name, begins: entry.range[0], expected: end)
      }
      end = entry.range[1]
    }
    guard end == dataSize else { throw SafetensorsError.dataSize(file: file, described: end, found: dataSize) }
  }
}
