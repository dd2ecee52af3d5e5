import CKernels
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that appears whole or not at all: written under a temporary name beside its target, synced, renamed.
///
/// Without ``commit()`` the temporary file goes away and the target stays as it was.
public final class AtomicFile {
  /// A copy inside the kernel goes in steps of this many bytes, so that others see how far it is.
  private static let copyStep = 16 << 20

  public let path: String
  private let temporary: String
  private let overwrite: Bool
  private var descriptor: Int32
  /// Where the bytes are until ``commit()``, for a library that opens files by itself.
  package var temporaryPath: String { temporary }
  /// Bytes written so far.
  public private(set) var count = 0 {
    didSet { if pipeline == nil { writeBack() } }
  }
  /// Bytes that are on their way to the disk.
  private var writtenBack = 0
  private var pipeline: WritePipeline?

  /// - Throws: ``FileError/exists(file:)`` where the target exists and `overwrite` is false; ``FileError/system(file:operation:code:)``.
  public init(path: String, overwrite: Bool) throws {
    if !overwrite && access(path, F_OK) == 0 { throw FileError.exists(file: path) }
    self.path = path
    self.overwrite = overwrite
    let target = URL(filePath: path)
    temporary =
      target.deletingLastPathComponent()
      .appending(path: ".\(target.lastPathComponent).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial").path
    descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError.system(file: path, operation: "create", code: errno) }
    UnfinishedFiles.shared.insert(temporary)
    if overwrite { Self.forget(path) }
  }

  /// The file that is to be replaced leaves the page cache while the new one fills it: its pages serve again at once, and
  /// replacing it has less to wait for.
  private static func forget(_ path: String) {
    let replaced = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard replaced >= 0 else { return }
    _ = BackgroundWork {
      posix_fadvise(replaced, 0, 0, POSIX_FADV_DONTNEED)
      close(replaced)
    }
  }

  deinit {
    pipeline = nil
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
    UnfinishedFiles.shared.remove(temporary)
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if let pipeline { try pipeline.append(bytes) } else { try write(bytes, at: count) }
    count += bytes.count
  }

  public func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes inside what is there already, or leaves a gap of zeros before it.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < bytes.count {
      let written = pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        throw FileError.system(file: path, operation: "write", code: written == 0 ? ENOSPC : errno)
      }
      done += written
    }
  }

  /// Leaves room for `size` bytes that ``write(_:at:)`` fills later.
  public func skip(_ size: Int) { count += size }

  /// Appends a range of another file without passing it through this process where the file systems can.
  public func copy(from source: MappedFile, offset: Int, count size: Int) throws {
    if let pipeline {
      try pipeline.append(from: source, offset: offset, count: size)
      count += size
      return
    }
    try source.withBytes(offset: offset, count: size) { bytes in
      var from = Int64(offset)
      var to = Int64(count)
      var left = size
      while left > 0 {
        let copied = zoo_copy_file_range(
          source.descriptor, &from, descriptor, &to, UInt64(min(left, Self.copyStep)))
        if copied < 0 && errno == EINTR { continue }
        if copied < 0 && [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) || copied == 0 {
          try write(UnsafeRawBufferPointer(rebasing: bytes[(size - left)...]), at: Int(to))
          count += left
          break
        }
        guard copied > 0 else { throw FileError.system(file: path, operation: "write", code: errno) }
        left -= copied
        count += copied
      }
    }
  }

  /// The disk works while the next bytes are made, so that the sync at the end has little left to wait for.
  private func writeBack() {
    guard count - writtenBack >= Self.copyStep else { return }
    zoo_start_writeback(descriptor, Int64(writtenBack), Int64(count - writtenBack))
    writtenBack = count
  }

  /// What is appended from here on is hashed and written by other threads, until ``digest()``.
  ///
  /// - Parameter expected: how many bytes that will be, roughly.
  public func startDigest(expected: Int) {
    pipeline = WritePipeline(descriptor: descriptor, path: path, offset: count, expected: expected)
  }

  /// SHA-256 of what was appended since ``startDigest(expected:)``.
  ///
  /// - Throws: ``FileError``, where those bytes can't be written.
  public func digest() throws -> String {
    defer { pipeline = nil }
    return try pipeline?.finish() ?? Digest.sha256(of: "")
  }

  /// Syncs the bytes to the disk and gives the file its name.
  ///
  /// - Throws: ``FileError``; the target is then as it was.
  public func commit() throws {
    guard fsync(descriptor) == 0 else { throw FileError.system(file: path, operation: "sync", code: errno) }
    if overwrite {
      guard rename(temporary, path) == 0 else { throw FileError.system(file: path, operation: "create", code: errno) }
    } else {
      guard link(temporary, path) == 0 else {
        throw errno == EEXIST ? FileError.exists(file: path) : .system(file: path, operation: "create", code: errno)
      }
      unlink(temporary)
    }
    close(descriptor)
    descriptor = -1
    UnfinishedFiles.shared.remove(temporary)
    let directory = open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }
}

/// Temporary files that exist right now, so that an interrupted program can remove them.
public final class UnfinishedFiles: @unchecked Sendable {
  public static let shared = UnfinishedFiles()
  private let lock = NSLock()
  private var paths: Set<String> = []

  func insert(_ path: String) { lock.withLock { _ = paths.insert(path) } }
  func remove(_ path: String) { lock.withLock { _ = paths.remove(path) } }

  /// Removes every unfinished file; for a signal's handler queue just before the process ends.
  public func removeAll() {
    lock.withLock {
      for path in paths { unlink(path) }
      paths = []
    }
  }
}
