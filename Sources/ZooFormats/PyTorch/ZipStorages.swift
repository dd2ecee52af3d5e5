import ZooCheckpoint

/// The `data/<key>` members of a PyTorch zip.
struct ZipStorages: StorageSource {
  let archive: ZipArchive
  /// The archive's top folder with its slash, or nothing.
  let folder: String
  let isByteSwapped: Bool
  private(set) var records: [String: any ZipRecord] = [:]

  init(archive: ZipArchive, folder: String, isByteSwapped: Bool) {
    self.archive = archive
    self.folder = folder
    self.isByteSwapped = isByteSwapped
  }

  mutating func storage(_ reference: StorageReference) throws -> any ByteStorage {
    let record: any ZipRecord
    if let known = records[reference.key] {
      record = known
    } else {
      guard let entry = archive[folder + "data/" + reference.key] else {
        throw PyTorchFault(.missingStorage(key: reference.key))
      }
      record = archive.record(entry)
      records[reference.key] = record
    }
    let claimed = try reference.byteCount()
    guard record.count == claimed else {
      throw PyTorchFault(.storageSize(key: reference.key, claimed: claimed, found: record.count))
    }
    return record
  }
}
