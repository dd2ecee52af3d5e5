import CKernels
import Crypto
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A hash that one queue alone touches.
final class QueuedHash: @unchecked Sendable {
  var hash = SHA256()
}

/// A stretch of a file in memory.
final class Piece: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer
  /// Bytes from the start that are filled. Whoever took the piece owns it until it is handed on, and then nobody changes it.
  var end = 0
  /// Who still reads it; ``Pool`` guards it once the piece is handed on.
  var readers = 0

  init(size: Int, alignment: Int) { bytes = .allocate(byteCount: size, alignment: alignment) }

  deinit { bytes.deallocate() }
}

/// A few pieces that serve again and again.
final class Pool: Sendable {
  private let free: Mutex<[Piece]>
  private let count = DispatchSemaphore(value: 0)

  init(_ pieces: [Piece]) {
    free = Mutex(pieces)
    for _ in pieces { count.signal() }
  }

  /// Waits until one is free.
  func take() -> Piece {
    while true {
      count.wait()
      if let piece = free.withLock({ $0.popLast() }) { return piece }
    }
  }

  /// One of its readers is done with a piece.
  func finished(_ piece: Piece) {
    let isFree = free.withLock { free in
      piece.readers -= 1
      if piece.readers == 0 { free.append(piece) }
      return piece.readers == 0
    }
    if isFree { count.signal() }
  }
}

/// The file that pieces are written to. Writing goes on after a failure as if nothing were, until somebody asks.
final class PipelineTarget: Sendable {
  private let descriptor: Int32
  private let path: String
  private let state: Mutex<(isDirect: Bool, failure: FileError?)>

  init(descriptor: Int32, path: String, isDirect: Bool) {
    self.descriptor = descriptor
    self.path = path
    state = Mutex((isDirect && zoo_set_direct(descriptor, true) == 0, nil))
  }

  /// - Throws: the first failure.
  func check() throws(FileError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// - Parameter isLast: whether it may end anywhere; direct writes are of whole blocks.
  func write(_ piece: Piece, at offset: Int, isLast: Bool) {
    if isLast { giveDirectUp() }
    var done = 0
    while done < piece.end, state.withLock({ $0.failure }) == nil {
      let rest = UnsafeRawBufferPointer(rebasing: piece.bytes[done..<piece.end])
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if written < 0 && errno == EINTR { continue }
      // Some file systems refuse a direct write only once it comes, or write a part of a block.
      if written < 0 && errno == EINVAL && giveDirectUp() { continue }
      if written > 0 && written < rest.count { giveDirectUp() }
      guard written > 0 else { return fail("write", written == 0 ? ENOSPC : errno) }
      done += written
    }
    if !state.withLock({ $0.isDirect }) { zoo_start_writeback(descriptor, Int64(offset), Int64(piece.end)) }
  }

  /// Brings all to the disk; what others write from here on may be of any size.
  func sync() {
    giveDirectUp()
    if fdatasync(descriptor) != 0 { fail("sync", errno) }
  }

  /// Writes through the page cache from here on; false where it did already.
  @discardableResult private func giveDirectUp() -> Bool {
    state.withLock { state in
      guard state.isDirect else { return false }
      state.isDirect = false
      return zoo_set_direct(descriptor, false) == 0
    }
  }

  private func fail(_ operation: String, _ code: Int32) {
    state.withLock { state in
      if state.failure == nil { state.failure = .system(file: path, operation: operation, code: code) }
    }
  }
}
