import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooDownload

/// Brings published weights into the store: downloaded, held to their digest, converted, filed.
///
/// Programs that want the same file take turns, and the second finds it in the store. Whatever ends a program in between,
/// the store is whole; the part of a download that is here is gone on with.
public struct Pull: Sendable {
  /// How far it is.
  public enum Step {
    /// Another program is bringing the same file.
    case waiting
    case downloading(done: Int, total: Int?)
    /// A source did not serve; the next is tried.
    case sourceFailed(DownloadError)
    case converting
    /// The publisher gives no digest to hold the file to.
    case unchecked(sha256: String)
  }

  public struct Outcome: Sendable {
    public let record: StoreRecord
    /// Of the checkpoint.
    public let path: String
    /// Whether it was in the store already.
    public let wasThere: Bool
    /// The published file, where it is kept.
    public let download: String?
  }

  public var catalog: Catalog
  public var store: ModelStore
  public var mirrors = Mirrors()
  /// Whether weights that are in the store are brought again.
  public var force = false
  /// Whether the published file stays in the store's `downloads`.
  public var keepsDownload = false
  public var retries = Retries()
  /// Seconds without any byte before a server counts as stalled.
  public var patience = 60

  public init(catalog: Catalog, store: ModelStore = ModelStore()) {
    self.catalog = catalog
    self.store = store
  }

  /// - Throws: `DownloadError`, `ConversionError` and its kin, `FileError`, ``PullError``.
  public func run(
    _ model: Model, _ weights: PublishedWeights, report: @escaping (Step) -> Void = { _ in }
  ) throws -> Outcome {
    let reference = ModelReference(model: model.name, weights: weights.id)
    guard Self.isPlain(weights.file) else { throw PullError.badFileName(model: model.name, file: weights.file) }
    store.clean()
    if let known = present(reference) { return known }
    let folder = "\(store.unfinishedFolder)/\(weights.file)"
    let lock = try FileLock(path: folder + "/lock") { report(.waiting) }
    defer { withExtendedLifetime(lock) {} }
    if let known = present(reference) {
      Self.leave(folder, weights.file)
      return known
    }
    let download = keptDownload(weights.file) ?? "\(folder)/\(weights.file)"
    let sums = try fetch(weights, to: download, report)
    report(.converting)
    let record = try convert(download, model, weights, sums, folder)
    let kept = try keep(download, weights.file)
    Self.leave(folder, weights.file)
    return Outcome(record: record, path: store.path(of: record), wasThere: false, download: kept)
  }

  private func present(_ reference: ModelReference) -> Outcome? {
    guard !force, let record = store.record(of: reference) else { return nil }
    return Outcome(record: record, path: store.path(of: record), wasThere: true, download: nil)
  }

  private func fetch(
    _ weights: PublishedWeights, to path: String, _ report: @escaping (Step) -> Void
  ) throws -> RunningDigest.Sums {
    let listed = catalog.publishedFiles.first { $0.file == weights.file }
    let sha256 = weights.sha256 ?? weights.sha256Prefix ?? listed.flatMap { $0.isMD5 ? nil : $0.digest }
    let md5 = weights.md5 ?? listed.flatMap { $0.isMD5 ? $0.digest : nil }
    var download = try VerifiedDownload(
      sources: mirrors.sources(of: weights.file, published: weights.url), path: path,
      published: .init(sha256: sha256, md5: md5, largest: weights.sizeMiB.flatMap(Self.largest)))
    download.retries = retries
    download.patience = patience
    let expected = weights.sizeMiB.flatMap { Int(exactly: ($0 * 1_048_576).rounded()) }
    let sums = try download.fetch(failed: { report(.sourceFailed($0)) }) { done, total in
      report(.downloading(done: done, total: total ?? expected))
    }
    if sha256 == nil, md5 == nil { report(.unchecked(sha256: sums.sha256)) }
    return sums
  }

  /// The catalogue's size is rounded; what is much larger is something else.
  private static func largest(sizeMiB: Double) -> Int? { Int(exactly: (sizeMiB * 1_048_576 * 1.05 + 1e6).rounded()) }

  private func convert(
    _ download: String, _ model: Model, _ weights: PublishedWeights, _ sums: RunningDigest.Sums, _ folder: String
  ) throws -> StoreRecord {
    var conversion = Conversion(catalog: catalog)
    conversion.model = model.name
    conversion.weights = weights.id
    conversion.overwrite = true
    let checkpoint = folder + "/converted.safetensors"
    let outcome = try conversion.run(download, to: checkpoint)
    guard outcome.sha256 == sums.sha256 else { throw PullError.changedMeanwhile(file: download) }
    let record = StoreRecord(
      model: model.name, weights: weights.id, isDefault: weights.id == model.defaultWeights?.id,
      blob: try Digest.sha256(of: MappedFile(path: checkpoint)), bytes: outcome.written.bytes,
      digest: outcome.written.digest, source: .init(file: weights.file, url: weights.url, sha256: sums.sha256))
    _ = try store.file(checkpoint, as: record)
    return record
  }

  private var downloads: String { store.folder + "/downloads" }

  /// Where the published file was kept by an earlier pull.
  private func keptDownload(_ file: String) -> String? {
    let path = "\(downloads)/\(file)"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  private func keep(_ download: String, _ file: String) throws -> String? {
    let path = "\(downloads)/\(file)"
    guard keepsDownload || download == path else { return nil }
    if download != path {
      try Folder.make(downloads)
      guard rename(download, path) == 0 else { throw FileError.system(file: path, operation: "create", code: errno) }
    }
    return path
  }

  /// Removes the folder of a download that is no longer needed.
  private static func leave(_ folder: String, _ file: String) {
    for name in ModelStore.namesOfDownload(file) + ["lock"] { unlink(folder + "/" + name) }
    rmdir(folder)
  }

  private static func isPlain(_ name: String) -> Bool {
    ModelReference.isPlain(name) && !["lock", "converted.safetensors"].contains(name)
  }
}

/// Why published weights can't be brought into the store.
public enum PullError: Error, Sendable, Equatable {
  /// The catalogue names a file that would not stay in its folder.
  case badFileName(model: String, file: String)
  /// The file is another than that which was checked.
  case changedMeanwhile(file: String)
}
