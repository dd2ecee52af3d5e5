import Foundation
import ZooCheckpoint

/// A published file, brought to a path from the first source that has it and held to its published digest while its
/// bytes arrive.
///
/// What broke off goes on where it ended, after the program ended too. Bytes of a changed file can't be mixed with older
/// ones: the server is told which version they belong to (`If-Range`), and where it gives no version the digest tells,
/// upon which the file is fetched once more from its beginning.
public struct VerifiedDownload: Sendable {
  /// What a publisher says of a file; all nil takes any bytes.
  public struct Published: Sendable, Equatable {
    /// 64 hexadecimal digits, or as many of the first as are published.
    public var sha256: String?
    /// Where there is no SHA-256.
    public var md5: String?
    /// Bytes that the file can't have more of.
    public var largest: Int?

    public init(sha256: String?, md5: String? = nil, largest: Int? = nil) {
      self.sha256 = sha256?.lowercased()
      self.md5 = sha256 == nil ? md5?.lowercased() : nil
      self.largest = largest
    }

    fileprivate func problem(_ sums: RunningDigest.Sums, url: String) -> DownloadError? {
      if let sha256, !sums.sha256.hasPrefix(sha256) {
        return .wrongDigest(url: url, sum: "SHA-256", published: sha256, found: sums.sha256)
      }
      if let md5, sums.md5 != md5 {
        return .wrongDigest(url: url, sum: "MD5", published: md5, found: sums.md5 ?? "unknown")
      }
      return nil
    }
  }

  /// Addresses of the same file, in the order in which they are tried.
  public let sources: [String]
  /// Where the file stands in the end.
  public let path: String
  public let published: Published
  public var retries = Retries()
  /// Seconds without any byte before a server counts as stalled.
  public var patience = 60

  /// - Throws: ``DownloadError/badAddress(url:)``.
  public init(sources: [String], path: String, published: Published) throws(DownloadError) {
    for source in sources where !RemoteFile.isAddress(source) || URL(string: source)?.host()?.isEmpty ?? true {
      throw .badAddress(url: source)
    }
    self.sources = sources
    self.path = path
    self.published = published
  }

  /// Brings the file here, unless it is here already.
  ///
  /// - Parameter failed: called with why a source did not serve, where another is tried next.
  /// - Returns: the digests of the file.
  /// - Throws: the last source's ``DownloadError``; `FileError`.
  public func fetch(
    failed: (DownloadError) -> Void = { _ in }, progress: RemoteFile.Progress? = nil
  ) throws -> RunningDigest.Sums {
    let partial = try PartialFile(path: path + ".partial")
    if let sums = try existing() {
      partial.remove()
      return sums
    }
    for source in sources.dropLast() {
      do {
        // Where there are others, it is not worth waiting for long.
        return try fetch(source, partial, progress, tries: min(retries.attempts, 2))
      } catch let error as DownloadError {
        failed(error)
      }
    }
    guard let last = sources.last else { throw DownloadError.badAddress(url: "") }
    return try fetch(last, partial, progress, tries: retries.attempts)
  }

  /// A whole file that an earlier run left, where it is what was published.
  private func existing() throws -> RunningDigest.Sums? {
    guard let file = try? MappedFile(path: path) else { return nil }
    var digest = RunningDigest(withMD5: published.md5 != nil)
    try digest.update(from: file.descriptor, to: file.count, path: path)
    // Without anything to hold it to, who knows how it came here.
    guard published.sha256 ?? published.md5 != nil, published.problem(digest.sums, url: path) == nil else {
      unlink(path)
      return nil
    }
    return digest.sums
  }

  private func fetch(
    _ source: String, _ partial: PartialFile, _ progress: RemoteFile.Progress?, tries: Int
  ) throws -> RunningDigest.Sums {
    let transfer = Transfer(url: source, largest: published.largest ?? 1 << 40, patience: patience)
    var retries = retries
    retries.attempts = tries
    var digest = RunningDigest(withMD5: published.md5 != nil)
    var hasBegunAnew = false
    while true {
      let have = partial.size
      if digest.count > have { digest = RunningDigest(withMD5: published.md5 != nil) }
      try digest.update(from: partial.descriptor, to: have, path: partial.path)
      if have > 0, published.sha256 != nil, published.problem(digest.sums, url: source) == nil {
        return try finish(partial, digest)
      }
      let answer = transfer.run(
        into: partial.descriptor, have: have, headers: headers(partial, have: have), begun: partial.remember,
        received: { bytes, offset in
          if offset < digest.count { digest = RunningDigest(withMD5: published.md5 != nil) }
          digest.update(bytes)
        }, progress: progress)
      if answer.fileError != 0 {
        throw FileError.system(file: partial.path, operation: "write", code: answer.fileError)
      }
      let isWrong = answer.isWhole ? published.problem(digest.sums, url: source) : nil
      if answer.isWhole, isWrong == nil { return try finish(partial, digest) }
      // What was here before may be another version's, or more than there is (416).
      if isWrong != nil || answer.status == 416 { partial.clear() }
      if have > 0, !hasBegunAnew, isWrong != nil || answer.status == 416 {
        hasBegunAnew = true
        continue
      }
      if let isWrong { throw isWrong }
      guard let pause = retries.pause(after: answer, have: partial.size) else {
        throw DownloadError.failed(url: source, status: answer.status, problem: answer.problem)
      }
      Thread.sleep(forTimeInterval: pause)
    }
  }

  private func headers(_ partial: PartialFile, have: Int) -> [String] {
    guard have > 0 else { return [] }
    guard let known = partial.validator, !known.hasPrefix("W/") else {
      // The digest will tell whether the rest belongs to the same bytes.
      return published.sha256 ?? published.md5 == nil ? [] : ["Range: bytes=\(have)-"]
    }
    return ["Range: bytes=\(have)-", "If-Range: \(known)"]
  }

  private func finish(_ partial: PartialFile, _ digest: RunningDigest) throws -> RunningDigest.Sums {
    try partial.finish(as: path)
    return digest.sums
  }
}
