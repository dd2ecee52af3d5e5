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
    /// The publisher gives no digest to hold a file to.
    case unchecked(file: String, sha256: String)
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
    let place = Place(model, weights, digest: digest(of: weights))
    let folder = store.unfinishedFolder + "/" + place.folder
    let lock = try FileLock(path: folder + "/lock") { report(.waiting) }
    defer { withExtendedLifetime(lock) {} }
    if let known = present(reference) {
      ModelStore.removeDownload(folder)
      return known
    }
    // What is small comes first: where it can't be had, nothing large was brought for nothing.
    let tokenizer = try TokenizerPull(pull: self, folder: folder).fetch(model, weights, report)
    let download = keptDownload(place.kept) ?? "\(folder)/\(weights.file)"
    let sums = try fetch(weights, to: download, report)
    report(.converting)
    let record = try convert(download, model, weights, sums, tokenizer, folder)
    let kept = try keep(download, place.kept)
    ModelStore.removeDownload(folder)
    return Outcome(record: record, path: store.path(of: record), wasThere: false, download: kept)
  }

  private func present(_ reference: ModelReference) -> Outcome? {
    guard !force, let record = store.record(of: reference) else { return nil }
    return Outcome(record: record, path: store.path(of: record), wasThere: true, download: nil)
  }

  private func fetch(
    _ weights: PublishedWeights, to path: String, _ report: @escaping (Step) -> Void
  ) throws -> RunningDigest.Sums {
    let (sha256, md5) = digest(of: weights)
    let largest = weights.sizeMiB.flatMap(Self.largest)
    let download = try download(
      weights.file, from: weights.url, to: path, .init(sha256: sha256, md5: md5, largest: largest))
    let expected = weights.sizeMiB.flatMap { Int(exactly: ($0 * 1_048_576).rounded()) }
    let sums = try download.fetch(failed: { report(.sourceFailed($0)) }) { done, total in
      report(.downloading(done: done, total: total ?? expected))
    }
    if sha256 == nil, md5 == nil { report(.unchecked(file: weights.file, sha256: sums.sha256)) }
    return sums
  }

  private func digest(of weights: PublishedWeights) -> (sha256: String?, md5: String?) {
    let listed = catalog.publishedFiles.first { $0.file == weights.file }
    return (
      weights.sha256 ?? weights.sha256Prefix ?? listed.flatMap { $0.isMD5 ? nil : $0.digest },
      weights.md5 ?? listed.flatMap { $0.isMD5 ? $0.digest : nil }
    )
  }

  /// How a file is brought. What has no published digest comes from its publisher alone, by an address that nobody on the way
  /// can answer for: a mirror's file of that name may be anybody's.
  ///
  /// - Throws: ``PullError/insecure(url:)``, `DownloadError`.
  func download(
    _ file: String, from url: String, to path: String, _ published: VerifiedDownload.Published
  ) throws -> VerifiedDownload {
    let isChecked = published.sha256 ?? published.md5 != nil
    guard isChecked || Self.isSecure(url) else { throw PullError.insecure(url: url) }
    var download = try VerifiedDownload(
      sources: isChecked ? mirrors.sources(of: file, published: url) : [url], path: path, published: published)
    download.retries = retries
    download.patience = patience
    return download
  }

  /// TLS, or a server on this machine.
  private static func isSecure(_ url: String) -> Bool {
    let parsed = URL(string: url)
    return parsed?.scheme?.lowercased() == "https" || ["127.0.0.1", "localhost", "::1"].contains(parsed?.host() ?? "")
  }

  /// The catalogue's size is rounded; what is much larger is something else.
  private static func largest(sizeMiB: Double) -> Int? { Int(exactly: (sizeMiB * 1_048_576 * 1.05 + 1e6).rounded()) }

  private func convert(
    _ download: String, _ model: Model, _ weights: PublishedWeights, _ sums: RunningDigest.Sums,
    _ tokenizer: TokenizerPull.Fetched?, _ folder: String
  ) throws -> StoreRecord {
    var conversion = Conversion(catalog: catalog)
    conversion.model = model.name
    conversion.weights = weights.id
    conversion.overwrite = true
    conversion.tokenizer = tokenizer?.files
    let checkpoint = folder + "/" + ModelStore.converted
    let outcome = try conversion.run(download, to: checkpoint)
    guard outcome.sha256 == sums.sha256 else { throw PullError.changedMeanwhile(file: download) }
    let record = StoreRecord(
      model: model.name, weights: weights.id, isDefault: weights.id == model.defaultWeights?.id,
      blob: try Digest.sha256(of: MappedFile(path: checkpoint)), bytes: outcome.written.bytes,
      digest: outcome.written.digest, source: .init(file: weights.file, url: weights.url, sha256: sums.sha256),
      tokenizer: tokenizer?.sources)
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
      try Folder.make((path as NSString).deletingLastPathComponent)
      guard rename(download, path) == 0 else { throw FileError.system(file: path, operation: "create", code: errno) }
    }
    return path
  }

  private static func isPlain(_ name: String) -> Bool {
    ModelReference.isPlain(name) && !["lock", ModelStore.converted].contains(name)
  }

  /// Where a published file stands while it comes and once it is kept. Names that are only half a file's, as Hugging Face's
  /// `model.safetensors`, would have many models in one place; those with a digest are their own.
  private struct Place {
    /// In the folder of what is unfinished.
    let folder: String
    /// In the folder of kept downloads.
    let kept: String

    init(_ model: Model, _ weights: PublishedWeights, digest: (sha256: String?, md5: String?)) {
      let isKnown = digest.sha256 ?? digest.md5 != nil
      folder = isKnown ? weights.file : "\(model.name)-\(weights.id)"
      kept = isKnown ? weights.file : folder + "/" + weights.file
    }
  }
}

/// Why published weights can't be brought into the store.
public enum PullError: Error, Sendable, Equatable {
  /// The catalogue names a file that would not stay in its folder.
  case badFileName(model: String, file: String)
  /// The file is another than that which was checked.
  case changedMeanwhile(file: String)
  /// The files that the catalogue names are no whole tokenizer.
  case noTokenizer(files: [String])
  /// Nothing would tell a forgery: neither a digest nor TLS.
  case insecure(url: String)
}
