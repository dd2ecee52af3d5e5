import Foundation
import ZooCheckpoint

/// How checkpoints get into the store and out of it.
///
/// A blob has its name before a record names it, and loses its records before it goes: whenever a program dies, every
/// record has its blob, and a blob without one is removed by the next that looks.
extension ModelStore {
  private static let keptForResuming: TimeInterval = 7 * 86_400

  /// Takes a whole checkpoint, on the same file system, into the store.
  ///
  /// - Returns: the checkpoint's path.
  /// - Throws: `FileError`, ``CatalogError/badStoreName(name:)``.
  package func file(_ checkpoint: String, as record: StoreRecord) throws -> String {
    guard record.reference.isPlain else { throw CatalogError.badStoreName(name: record.reference.description) }
    let lock = try FileLock(path: lockPath)
    defer { withExtendedLifetime(lock) {} }
    let blob = path(of: record)
    let folder = recordsFolder + "/" + record.model
    for needed in [blobsFolder, folder] { try Folder.make(needed) }
    guard rename(checkpoint, blob) == 0 else { throw FileError.system(file: blob, operation: "create", code: errno) }
    Self.sync(blobsFolder)
    let file = try AtomicFile(path: "\(folder)/\(record.weights).json", overwrite: true)
    try file.write(CheckpointMetadata.encode(record) + "\n")
    try file.commit()
    removeStrays()
    return blob
  }

  /// Takes a model, or some weights of it, out of the store.
  ///
  /// - Returns: what was there.
  /// - Throws: ``CatalogError/notInStore(name:installed:)``, `FileError`.
  public func remove(_ name: String) throws -> [InstalledModel] {
    let reference = ModelReference(name)
    let lock = try FileLock(path: lockPath)
    defer { withExtendedLifetime(lock) {} }
    let all = installed()
    let found = all.filter {
      $0.model == reference.model && (reference.weights == nil || $0.weights == reference.weights)
    }
    guard !found.isEmpty else {
      throw CatalogError.notInStore(name: name, installed: Set(all.map(\.model)).sorted())
    }
    for entry in found {
      let path =
        entry.isByHand ? entry.path : "\(recordsFolder)/\(entry.model)/\(entry.weights ?? "").json"
      guard unlink(path) == 0 else { throw FileError.system(file: path, operation: "remove", code: errno) }
    }
    rmdir(recordsFolder + "/" + reference.model)
    removeStrays()
    return found
  }

  /// Removes what programs that were killed have left: conversions at once, parts of downloads once nobody has gone on
  /// with them for a week.
  package func clean() {
    for name in Self.names(in: unfinishedFolder) {
      let folder = unfinishedFolder + "/" + name
      // Whoever is at work there holds the lock.
      guard let lock = FileLock.ifFree(path: folder + "/lock") else { continue }
      defer { withExtendedLifetime(lock) {} }
      let present = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      let kept = present.filter { Self.isDownload($0) && Self.isWorthKeeping(folder + "/" + $0) }
      for entry in present where entry != "lock" && !kept.contains(entry) { unlink(folder + "/" + entry) }
      if kept.isEmpty {
        unlink(folder + "/lock")
        rmdir(folder)
      }
    }
    guard FileManager.default.fileExists(atPath: folder), let lock = FileLock.ifFree(path: lockPath) else { return }
    withExtendedLifetime(lock) { removeStrays() }
  }

  /// The name of a checkpoint in the folder of its download until it is filed.
  package static let converted = "converted.safetensors"

  /// Whether a file in the folder of a download is one that was brought, whole or not.
  private static func isDownload(_ name: String) -> Bool {
    !name.hasPrefix(".") && !["lock", converted].contains(name)
  }

  /// Removes the folder of a download that is no longer needed; the caller holds its lock.
  package static func removeDownload(_ folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] { unlink(folder + "/" + name) }
    rmdir(folder)
  }

  /// Removes blobs that no record names, and records that were not finished. The caller holds the lock.
  private func removeStrays() {
    let models = Self.names(in: recordsFolder)
    for model in models {
      let folder = recordsFolder + "/" + model
      for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where entry.hasPrefix(".") {
        unlink(folder + "/" + entry)
      }
    }
    guard let named = blobsOfRecords(of: models) else { return }
    for blob in (try? FileManager.default.contentsOfDirectory(atPath: blobsFolder)) ?? [] where !named.contains(blob) {
      unlink(blobsFolder + "/" + blob)
    }
  }

  /// nil where a record can't be read, so that nobody knows which blob is its.
  private func blobsOfRecords(of models: [String]) -> Set<String>? {
    var blobs: Set<String> = []
    for model in models {
      for name in Self.names(in: recordsFolder + "/" + model) {
        guard let data = FileManager.default.contents(atPath: "\(recordsFolder)/\(model)/\(name)"),
          let record = try? JSONDecoder().decode(StoreRecord.self, from: data)
        else { return nil }
        blobs.insert(record.blob + ".safetensors")
      }
    }
    return blobs
  }

  private static func isWorthKeeping(_ path: String) -> Bool {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let modified = attributes[.modificationDate] as? Date, let size = attributes[.size] as? Int
    else { return false }
    return size > 0 && -modified.timeIntervalSinceNow < keptForResuming
  }

  private static func sync(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
