import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that this program alone holds (`flock`); another that wants it takes turns. The kernel lets go of it where a
/// program ends in whatever way.
public final class FileLock {
  /// Open for reading and writing.
  public let descriptor: Int32

  /// Opens or creates the file, and the folders that it lies in, and waits until nobody else holds it.
  ///
  /// - Parameter waiting: called once where somebody else has it.
  /// - Throws: ``FileError``.
  public convenience init(path: String, waiting: () -> Void = {}) throws(FileError) {
    if let descriptor = try Self.open(path, waits: false) {
      self.init(descriptor)
      return
    }
    waiting()
    guard let descriptor = try Self.open(path, waits: true) else {
      throw .system(file: path, operation: "lock", code: EWOULDBLOCK)
    }
    self.init(descriptor)
  }

  /// The lock, unless somebody holds it.
  public static func ifFree(path: String) -> FileLock? {
    (try? open(path, waits: false)).flatMap { $0 }.map { FileLock($0) }
  }

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  private static func open(_ path: String, waits: Bool) throws(FileError) -> Int32? {
    for _ in 0..<1000 {
      let folder = URL(filePath: path).deletingLastPathComponent().path
      try Folder.make(folder)
      let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      // Whoever had it before may have removed the folder just now.
      if descriptor < 0, errno == ENOENT { continue }
      guard descriptor >= 0 else { throw .system(file: path, operation: "create", code: errno) }
      guard flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        if code == EINTR { continue }
        if !waits, code == EWOULDBLOCK { return nil }
        throw .system(file: path, operation: "lock", code: code)
      }
      // Whoever had it before may have renamed or removed it meanwhile.
      var (opened, named) = (stat(), stat())
      if fstat(descriptor, &opened) == 0, stat(path, &named) == 0, opened.st_ino == named.st_ino { return descriptor }
      close(descriptor)
    }
    throw .system(file: path, operation: "lock", code: ENOENT)
  }
}
