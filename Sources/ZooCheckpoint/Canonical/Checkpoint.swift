/// A canonical checkpoint, or any other safetensors file, opened for reading.
public struct Checkpoint: Sendable {
  public let path: String
  /// Tensors under all their names, aliases included.
  public let stateDict: StateDict
  public let metadata: CheckpointMetadata
  public let file: MappedFile

  /// Maps the file and checks its header.
  ///
  /// - Throws: ``FileError``, ``SafetensorsError``.
  public static func open(path: String) throws -> Checkpoint {
    let file = try MappedFile(path: path)
    var (stateDict, strings) = try SafetensorsReader.read(file)
    let metadata = CheckpointMetadata(strings)
    try stateDict.restore(metadata)
    return Checkpoint(path: path, stateDict: stateDict, metadata: metadata, file: file)
  }

  /// SHA-256 of the data section as it is in the file now.
  public func dataDigest() throws -> String {
    try Digest.sha256(of: file, from: SafetensorsReader.dataOffset(of: file))
  }
}

extension StateDict {
  /// Brings back what metadata tells of tensors beyond their bytes: ties and the versions of their modules.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  package mutating func restore(_ metadata: CheckpointMetadata) throws {
    try restoreAliases(metadata.aliases)
    for (module, version) in metadata.stateDictVersions.sorted(by: { $0.key < $1.key }) {
      versions[module] = version
    }
  }
}
