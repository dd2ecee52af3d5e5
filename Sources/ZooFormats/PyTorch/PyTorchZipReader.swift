import ZooCheckpoint

/// Reads what `torch.save` has written since PyTorch 1.6: a zip of `data.pkl` and one member a storage.
enum PyTorchZipReader {
  /// - Parameters:
  ///   - folder: the archive's top folder with its slash, or nothing.
  ///   - format: `.torchScript` where the archive holds code beside the data, which is never looked at.
  /// - Throws: ``PyTorchError``, ``PickleError``, ``ZipError``, ``FileError``.
  static func read(
    _ file: MappedFile, archive: ZipArchive, folder: String, format: WeightFormat, options: ReadOptions
  ) throws -> WeightFile {
    let member = folder + "data.pkl"
    guard let entry = archive[member] else {
      throw PyTorchError(
        file: file.path, place: member, fault: .malformed(what: "the member", found: "missing", expected: "a pickle"))
    }
    let document = try archive.record(entry).withBytes { bytes in
      let document = try PickleInterpreter.read(bytes, file: file.path, member: "data.pkl")
      guard document.end == bytes.count else {
        throw PickleError(
          file: file.path, member: "data.pkl", offset: document.end,
          fault: .trailingBytes(count: bytes.count - document.end))
      }
      return document
    }
    let carried = try archive[folder + "extra/zoo.json"].flatMap { entry in
      try archive.record(entry).withBytes(WeightFile.carriedStrings)
    }
    var options = options
    // Names that zoo wrote are whole.
    if carried != nil { options.unwraps = false }
    let harvest = PyTorchHarvest(file: file, document: document, options: options)
    try harvest.refuseDangerousCallables(member: "data.pkl")
    let isBigEndian = try byteOrderIsBig(archive, folder: folder)
    let storages = ZipStorages(archive: archive, folder: folder, isByteSwapped: isBigEndian)
    var (weightFile, source) = try harvest.weightFile(format: format, source: storages)
    if let storages = source as? ZipStorages {
      weightFile.records = storages.records.values.sorted { $0.entry.dataOffset < $1.entry.dataOffset }
    }
    if let carried { try weightFile.takeCarriedMetadata(carried) }
    return weightFile
  }

  /// The member `byteorder`; files without one are little-endian.
  private static func byteOrderIsBig(_ archive: ZipArchive, folder: String) throws -> Bool {
    guard let entry = archive[folder + "byteorder"] else { return false }
    let text = try archive.record(entry).withBytes { String(decoding: $0.prefix(16), as: UTF8.self) }
    switch text {
    case "little": return false
    case "big": return true
    default:
      throw PyTorchError(
        file: archive.file.path, place: entry.name,
        fault: .malformed(what: "the byte order", found: "'\(text)'", expected: "little or big"))
    }
  }
}
