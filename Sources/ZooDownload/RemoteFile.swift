import CCurl
import Foundation
import Synchronization
import ZooCheckpoint

/// A file named by an `http` or `https` address, kept in the cache once it is here.
///
/// A copy that is here already is used where the server says that it is still the same (ETag, Last-Modified; RFC 9110
/// section 13); a download that broke off goes on where it ended (`Range`, `If-Range`). Proxies are those of the
/// environment (`https_proxy`, `no_proxy`).
public struct RemoteFile: Sendable {
  /// Called with the bytes that are here and, where the server says, those expected in all.
  public typealias Progress = (_ done: Int, _ total: Int?) -> Void

  /// Tries of one download before it is given up.
  public var attempts = 4
  /// Seconds before the second try, doubled before each later one.
  public var firstPause = 1.0
  /// Seconds without any byte before a server counts as stalled.
  public var patience = 60
  private static let largest: Int64 = 1 << 40

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
  /// - Throws: ``DownloadError``, ``FileError``.
  public func fetch(progress: Progress? = nil) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw FileError.system(file: folder, operation: "create", code: EACCES) }
    let partial = path + ".partial"
    let descriptor = try lock(partial)
    defer { close(descriptor) }
    var pause = firstPause
    for attempt in 1...max(attempts, 1) {
      var result = zoo_fetch_result()
      if request(descriptor, &result, progress) { return try finish(result, descriptor, partial) }
      // The part that is here is no part of the server's file, or all of it already.
      let isOutOfRange = result.status == 416 && unlink(partial + ".validator") == 0
      guard result.is_transient != 0 || isOutOfRange, attempt < attempts else {
        throw DownloadError.failed(url: url, status: Int(result.status), problem: result.problemText)
      }
      Thread.sleep(forTimeInterval: pause)
      pause *= 2
    }
  }

  /// Opens the unfinished file for this program alone: two that want one file take turns.
  private func lock(_ partial: String) throws -> Int32 {
    while true {
      let descriptor = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw FileError.system(file: partial, operation: "create", code: errno) }
      guard flock(descriptor, LOCK_EX) == 0 else {
        close(descriptor)
        throw FileError.system(file: partial, operation: "lock", code: errno)
      }
      // Whoever had it before may have given it its final name meanwhile.
      var (opened, named) = (stat(), stat())
      if fstat(descriptor, &opened) == 0, stat(partial, &named) == 0, opened.st_ino == named.st_ino {
        return descriptor
      }
      close(descriptor)
    }
  }

  private func request(_ descriptor: Int32, _ result: inout zoo_fetch_result, _ progress: Progress?) -> Bool {
    var status = stat()
    let have = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    let lines = headers(have: have)
    let pointers: [UnsafePointer<CChar>?] = lines.map { UnsafePointer(strdup($0)) } + [nil]
    defer { for pointer in pointers { free(UnsafeMutablePointer(mutating: pointer)) } }
    return withoutActuallyEscaping(progress ?? { _, _ in }) { report in
      var answer = Answer(file: self, progress: report)
      return withUnsafeMutablePointer(to: &answer) { context in
        url.withCString { address in
          pointers.withUnsafeBufferPointer { headers in
            var request = zoo_fetch_request()
            request.url = address
            request.headers = headers.baseAddress
            request.descriptor = descriptor
            request.offset = Int64(have)
            request.largest = Self.largest
            request.patience = patience
            request.context = UnsafeMutableRawPointer(context)
            request.progress = { context, done, total in
              let answer = context?.assumingMemoryBound(to: Answer.self)
              answer?.pointee.progress(Int(done), total < 0 ? nil : Int(total))
              return 0
            }
            // Remembered at once, for whoever interrupts the program ends it.
            request.begun = { context, result in
              guard let file = context?.assumingMemoryBound(to: Answer.self).pointee.file, let result else { return }
              file.remember(result.pointee, beside: file.path + ".partial")
            }
            return zoo_fetch(&request, &result) == 0
          }
        }
      }
    }
  }

  /// What a download calls back with.
  private struct Answer {
    let file: RemoteFile
    let progress: Progress
  }

  /// What the server needs to know of the bytes that are here.
  private func headers(have: Int) -> [String] {
    if FileManager.default.fileExists(atPath: path), let known = validator(beside: path) {
      return [
        known.hasPrefix("\"") || known.hasPrefix("W/") ? "If-None-Match: \(known)" : "If-Modified-Since: \(known)"
      ]
    }
    // Only a strong validator says that the rest belongs to the same bytes.
    guard have > 0, let known = validator(beside: path + ".partial"), !known.hasPrefix("W/") else { return [] }
    return ["Range: bytes=\(have)-", "If-Range: \(known)"]
  }

  private func finish(_ result: zoo_fetch_result, _ descriptor: Int32, _ partial: String) throws {
    if result.status == 304 {
      unlink(partial)
      return
    }
    guard fsync(descriptor) == 0 else { throw FileError.system(file: partial, operation: "sync", code: errno) }
    unlink(path + ".validator")
    guard rename(partial, path) == 0 else { throw FileError.system(file: path, operation: "create", code: errno) }
    unlink(partial + ".validator")
    remember(result, beside: path)
  }

  /// Keeps the server's name for this version of the file.
  private func remember(_ result: zoo_fetch_result, beside file: String) {
    guard [200, 206].contains(result.status) else { return }
    let text = result.validatorText
    if text.isEmpty {
      unlink(file + ".validator")
    } else {
      try? Data(text.utf8).write(to: URL(filePath: file + ".validator"), options: .atomic)
    }
  }

  private func validator(beside file: String) -> String? {
    guard let text = try? String(contentsOfFile: file + ".validator", encoding: .utf8), !text.isEmpty,
      !text.contains(where: \.isNewline)
    else { return nil }
    return text
  }
}

extension zoo_fetch_result {
  var problemText: String { Self.text(problem) }
  var validatorText: String {
    let etag = Self.text(etag)
    return etag.isEmpty ? Self.text(modified) : etag
  }

  private static func text<T>(_ bytes: T) -> String {
    withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
