import Foundation
import ZooCheckpoint

/// A file named by an `http` or `https` address, kept in the cache once it is here.
///
/// A copy that is here already is used where the server says that it is still the same (ETag, Last-Modified; RFC 9110
/// section 13); a download that broke off goes on where it ended (`Range`, `If-Range`). Proxies are those of the
/// environment (`https_proxy`, `no_proxy`).
public struct RemoteFile: Sendable {
  /// Called with the bytes that are here and, where the server says, those expected in all.
  public typealias Progress = (_ done: Int, _ total: Int?) -> Void

  public var retries = Retries()
  /// Seconds without any byte before a server counts as stalled.
  public var patience = 60

  public let url: String
  /// Where the file stands once ``fetch(progress:)`` is through; its last component is the address's own.
  public let path: String
  private let folder: String

  /// Whether a command-line argument is an address rather than a path.
  public static func isAddress(_ argument: String) -> Bool {
    let start = argument.prefix(8).lowercased()
    return start.hasPrefix("http://") || start.hasPrefix("https://")
  }

  /// - Parameter cache: default `$XDG_CACHE_HOME/zoo/downloads`, by default in `~/.cache`.
  /// - Throws: ``DownloadError/badAddress(url:)``.
  public init(_ url: String, cache: String? = nil) throws(DownloadError) {
    guard Self.isAddress(url), let parsed = URL(string: url), let host = parsed.host(), !host.isEmpty else {
      throw .badAddress(url: url)
    }
    let name = parsed.lastPathComponent
    // The name comes decoded: a slash in it would lead out of the folder.
    guard !name.isEmpty, ![".", ".."].contains(name), !name.contains(where: { "/\0".contains($0) }),
      name.utf8.count <= 200
    else {
      throw .badAddress(url: url)
    }
    self.url = url
    folder = (cache ?? Self.cacheFolder) + "/" + Digest.sha256(of: url).prefix(16)
    path = folder + "/" + name
  }

  private static var cacheFolder: String {
    let environment = ProcessInfo.processInfo.environment
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.cache") + "/zoo/downloads"
  }

  /// Brings the file here unless the copy that is here is the server's.
  ///
  /// - Throws: ``DownloadError``, `FileError`.
  public func fetch(progress: Progress? = nil) throws {
    let partial = try PartialFile(path: path + ".partial")
    let transfer = Transfer(url: url, patience: patience)
    var retries = retries
    while true {
      let have = partial.size
      // Remembered at once, for whoever interrupts the program ends it.
      let answer = transfer.run(
        into: partial.descriptor, have: have, headers: headers(partial, have: have), begun: partial.remember,
        progress: progress)
      if answer.isWhole { return try finish(answer, partial) }
      // The part that is here is no part of the server's file, or all of it already.
      if answer.status == 416, have > 0 {
        partial.clear()
        continue
      }
      if answer.fileError != 0 {
        throw FileError.system(file: partial.path, operation: "write", code: answer.fileError)
      }
      guard let pause = retries.pause(after: answer, have: partial.size) else {
        throw DownloadError.failed(url: url, status: answer.status, problem: answer.problem)
      }
      Thread.sleep(forTimeInterval: pause)
    }
  }

  /// What the server needs to know of the bytes that are here.
  private func headers(_ partial: PartialFile, have: Int) -> [String] {
    if FileManager.default.fileExists(atPath: path), let known = PartialFile.validator(beside: path) {
      return [
        known.hasPrefix("\"") || known.hasPrefix("W/") ? "If-None-Match: \(known)" : "If-Modified-Since: \(known)"
      ]
    }
    // Only a strong validator says that the rest belongs to the same bytes.
    guard have > 0, let known = partial.validator, !known.hasPrefix("W/") else { return [] }
    return ["Range: bytes=\(have)-", "If-Range: \(known)"]
  }

  private func finish(_ answer: Transfer.Answer, _ partial: PartialFile) throws {
    if answer.status == 304 { return partial.remove() }
    unlink(path + ".validator")
    try partial.finish(as: path)
    PartialFile.remember(answer.validator, beside: path)
  }
}
