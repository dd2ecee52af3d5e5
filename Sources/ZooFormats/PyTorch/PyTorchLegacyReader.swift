import ZooCheckpoint

/// Reads what `torch.save` wrote before PyTorch 1.6: five pickles, then the storages.
///
/// The pickles are a magic number, the format's version, system information, the object and the storages' keys.
enum PyTorchLegacyReader {
  /// The first pickle, without its protocol: LONG1 of 0x1950a86a20f9469cfc6c, STOP.
  static let magic: [UInt8] = [
    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// - Throws: ``PyTorchError``, ``PickleError``, ``FileError``.
  static func read(_ file: MappedFile, options: ReadOptions) throws -> WeightFile {
    let pickles = try file.withBytes(offset: 0, count: file.count) { bytes in
      var pickles: [PickleDocument] = []
      for _ in 0..<5 {
        pickles.append(
          try PickleInterpreter.read(bytes, at: pickles.last?.end ?? 0, file: file.path, member: nil))
      }
      return pickles
    }
    var document = pickles[3]
    document.globals = pickles.flatMap(\.globals)
    let harvest = PyTorchHarvest(file: file, document: document, options: options)
    try harvest.refuseDangerousCallables(member: nil)
    guard case .integer(1001) = pickles[1].root else {
      throw PyTorchError(
        file: file.path, place: nil,
        fault: .malformed(
          what: "the format's version", found: pickles[1].heap.describe(pickles[1].root), expected: "1001"))
    }
    let storages = try LegacyStorages(
      file: file, keys: try keys(pickles[4], file: file), references: references(document.heap),
      start: pickles[4].end)
    guard storages.end == file.count || options.salvage && options.allowsTrailingBytes else {
      throw PyTorchError(
        file: file.path, place: "at byte \(storages.end)", fault: .trailingBytes(count: file.count - storages.end))
    }
    return try harvest.weightFile(format: .pyTorchLegacy, source: storages).0
  }

  private static func keys(_ document: PickleDocument, file: MappedFile) throws -> [String] {
    guard let list = document.heap.node(document.root), list.kind == .list else {
      throw PyTorchError(
        file: file.path, place: "at byte \(document.end)",
        fault: .malformed(
          what: "the storage list", found: document.heap.describe(document.root), expected: "a list of keys"))
    }
    return try list.items.map { item in
      guard case .string(let key) = item else {
        throw PyTorchError(
          file: file.path, place: "at byte \(document.end)",
          fault: .malformed(what: "a storage's key", found: document.heap.describe(item), expected: "a string"))
      }
      return key
    }
  }

  /// One description of each storage; a tensor that describes it otherwise is refused when it is rebuilt.
  private static func references(_ heap: PickleHeap) -> [String: StorageReference] {
    var references: [String: StorageReference] = [:]
    for index in heap.nodes.indices where heap[index].kind == .persistent {
      if let reference = try? StorageReference(.node(index), heap: heap), references[reference.key] == nil {
        references[reference.key] = reference
      }
    }
    return references
  }
}
