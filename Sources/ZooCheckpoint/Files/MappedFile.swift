import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a file can't be opened, read or written.
public enum FileError: Error, Sendable, Equatable {
  case notFound(file: String)
  case isDirectory(file: String)
  case notRegular(file: String)
  /// A hard link, where one may lead out of a folder.
  case severalNames(file: String)
  case empty(file: String)
  case outOfRange(file: String, offset: Int, count: Int, size: Int)
  case exists(file: String)
  case system(file: String, operation: String, code: Int32)
}

/// A file mapped read-only into memory; unmapped when the last holder lets go.
///
/// Every access is checked against the size at the time of opening.
public final class MappedFile: Sendable {
  /// The path as the user gave it.
  public let path: String
  /// Size in bytes.
  public let count: Int
  /// The open descriptor, for copies inside the kernel.
  public let descriptor: Int32
  private let base: UInt

  /// Maps a regular file of at least one byte.
  ///
  /// - Throws: ``FileError``.
  public init(path: String) throws(FileError) {
    // Without O_NONBLOCK a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      throw errno == ENOENT || errno == ENOTDIR
        ? .notFound(file: path) : .system(file: path, operation: "open", code: errno)
    }
    let mapping = try Self.map(descriptor, path: path, allowsHardLinks: true)
    self.path = path
    self.descriptor = descriptor
    count = mapping.count
    base = mapping.base
  }

  /// Maps a file inside `directory`, opening folder by folder without following any link.
  ///
  /// A file with several names (hard links) is refused too: one of them may lie outside.
  /// - Throws: ``FileError``.
  public init(inside directory: String, components: [String]) throws(FileError) {
    let path = ([directory] + components).joined(separator: "/")
    var folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .system(file: directory, operation: "open", code: errno) }
    for (index, component) in components.enumerated() {
      let isLast = index == components.count - 1
      let next = openat(folder, component, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY))
      let code = errno
      close(folder)
      guard next >= 0 else {
        throw code == ENOENT ? .notFound(file: path) : .system(file: path, operation: "open", code: code)
      }
      folder = next
    }
    let mapping = try Self.map(folder, path: path, allowsHardLinks: false)
    self.path = path
    descriptor = folder
    count = mapping.count
    base = mapping.base
  }

  /// Maps an open file; closes it where that fails.
  private static func map(
    _ descriptor: Int32, path: String, allowsHardLinks: Bool
  ) throws(FileError) -> (base: UInt, count: Int) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(file: path, operation: "stat", code: code)
    }
    let type = status.st_mode & S_IFMT
    guard type == S_IFREG, status.st_size > 0, allowsHardLinks || status.st_nlink == 1 else {
      close(descriptor)
      throw type == S_IFDIR
        ? .isDirectory(file: path)
        : type != S_IFREG
          ? .notRegular(file: path)
          : status.st_size == 0 ? .empty(file: path) : .severalNames(file: path)
    }
    let size = Int(status.st_size)
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
    else {
      let code = errno
      close(descriptor)
      throw .system(file: path, operation: "map", code: code)
    }
    return (UInt(bitPattern: address), size)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(bitPattern: base), count)
    close(descriptor)
  }

  /// Calls `body` with the bytes `offset ..< offset + count`.
  ///
  /// - Throws: ``FileError/outOfRange(file:offset:count:size:)``, or what `body` throws.
  public func withBytes<R>(
    offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      throw FileError.outOfRange(file: path, offset: offset, count: count, size: self.count)
    }
    let start = UnsafeRawPointer(bitPattern: base + UInt(offset))
    return try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: start, count: count))
    }
  }

  /// Copies bytes from `offset` on into a buffer without mapping them: large ranges come cheaper this way. Gives how many.
  ///
  /// - Throws: ``FileError/outOfRange(file:offset:count:size:)`` where not as many are there;
  ///   ``FileError/system(file:operation:code:)``.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
    guard offset >= 0, offset <= count, buffer.count <= count - offset else {
      throw .outOfRange(file: path, offset: offset, count: buffer.count, size: count)
    }
    while !buffer.isEmpty {
      let got = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
      if got < 0 && errno == EINTR { continue }
      // A file that somebody cut short has no more.
      guard got > 0 else { throw .system(file: path, operation: "read", code: got == 0 ? EIO : errno) }
      return got
    }
    return 0
  }

  /// Calls `body` with all the bytes, piece after piece, in order.
  ///
  /// - Throws: ``FileError``, and what `body` throws.
  func forEachPiece(from start: Int = 0, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let size = 1 << 20
    try withUnsafeTemporaryAllocation(byteCount: size, alignment: 64) { buffer in
      var position = start
      while position < count {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(size, count - position)])
        let got = try read(into: room, at: position)
        try body(UnsafeRawBufferPointer(rebasing: room[..<got]))
        position += got
      }
    }
  }

  /// Tells the kernel that the range won't be needed soon, so that reading a large file leaves little resident.
  public func release(offset: Int, count: Int) {
    let page = Int(getpagesize())
    let start = (offset + page - 1) / page * page
    let end = (offset + count) / page * page
    guard offset >= 0, start < end, end <= self.count + page else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: base + UInt(start)), end - start, MADV_DONTNEED)
  }
}
