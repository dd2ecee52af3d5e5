import OrderedCollections

/// What was written.
public struct WrittenCheckpoint: Sendable, Equatable {
  public let path: String
  /// Size of the whole file in bytes.
  public let bytes: Int
  /// SHA-256 of the data section.
  public let digest: String
}

/// Writes canonical checkpoints: valid safetensors whose data starts at a multiple of 64 bytes.
///
/// Holds one tensor at most; ranges that need no change go from file to file inside the kernel. The same tensors and
/// metadata give the same bytes.
public enum CheckpointWriter {
  static let alignment = 64

  /// - Parameters:
  ///   - dtype: what floating-point tensors become; nil keeps theirs. Other tensors keep theirs always.
  ///   - isSharing: whether tied tensors are stored once; else each name has its own bytes, and the metadata still tells.
  ///   - completing: called once the data is written, to fill in what was not known before (a digest that another
  ///     thread computes); it may not make the metadata longer than it was.
  /// - Throws: ``FileError``, ``TensorError``, ``WriterError``; nothing is left behind then.
  @discardableResult
  public static func write(
    _ stateDict: StateDict, metadata: CheckpointMetadata, to path: String, dtype: DType? = nil,
    overwrite: Bool = false, isSharing: Bool = true,
    completing: (inout CheckpointMetadata) throws -> Void = { _ in }
  ) throws -> WrittenCheckpoint {
    let file = try AtomicFile(path: path, overwrite: overwrite)
    var metadata = metadata
    let (stored, aliases) = stateDict.separatingAliases()
    metadata.aliases = aliases
    metadata.stateDictVersions = Dictionary(uniqueKeysWithValues: stateDict.versions.map { ($0.key, $0.value) })
    metadata.digest = String(repeating: "0", count: 64)
    let plan = try DataPlan(isSharing ? stored : stateDict.tensors, dtype: dtype)
    let reserved = header(plan, metadata).count
    let room = (reserved + alignment - 1) / alignment * alignment
    file.skip(room)
    file.startDigest(expected: plan.byteCount)
    try plan.copy(into: file)
    metadata.digest = try file.digest()
    try completing(&metadata)
    var bytes = header(plan, metadata)
    guard bytes.count <= room else { throw WriterError.metadataGrew(file: path, reserved: room, needed: bytes.count) }
    bytes.append(contentsOf: repeatElement(0x20, count: room - bytes.count))
    withUnsafeBytes(of: UInt64(room - 8).littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
    try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    try file.commit()
    return WrittenCheckpoint(path: path, bytes: file.count, digest: metadata.digest ?? "")
  }

  /// Eight bytes for the size, then the JSON.
  private static func header(_ plan: DataPlan, _ metadata: CheckpointMetadata) -> [UInt8] {
    var json = "{\"__metadata__\":" + CheckpointMetadata.encode(metadata.strings)
    for entry in plan.entries {
      let shape = entry.tensor.shape.map(String.init).joined(separator: ",")
      json += ",\(CheckpointMetadata.encode(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],"
      json += "\"data_offsets\":[\(entry.offset),\(entry.offset + entry.byteCount)]}"
    }
    json += "}"
    return [UInt8](repeating: 0, count: 8) + Array(json.utf8)
  }
}

public enum WriterError: Error, Sendable, Equatable {
  case metadataGrew(file: String, reserved: Int, needed: Int)
}

extension WriterError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .metadataGrew(let file, let reserved, let needed):
      ErrorReport(
        .cannotCreate, file: file,
        problem: "the metadata grew while writing: \(needed) bytes, \(reserved) were reserved")
    }
  }
}
