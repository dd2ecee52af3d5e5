import Crypto
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// SHA-256 of a file while it is written: a thread of its own hashes whatever stands there already.
final class FollowingDigest: Sendable {
  private struct Reach {
    var end: Int
    var isFinal = false
  }
  private let reach: Mutex<Reach>
  private let grown = DispatchSemaphore(value: 0)
  private let step = 1 << 20

  init(from offset: Int) { reach = Mutex(Reach(end: offset)) }

  /// Bytes below `end` won't change any more.
  func advance(to end: Int) {
    reach.withLock { $0.end = max($0.end, end) }
    grown.signal()
  }

  func finish() {
    reach.withLock { $0.isFinal = true }
    grown.signal()
  }

  /// Hashes from `offset` on until ``finish()`` and beyond it to the last byte.
  ///
  /// - Throws: ``FileError``.
  func hash(_ descriptor: Int32, from offset: Int, path: String) throws -> String {
    var hash = SHA256()
    var position = offset
    try withUnsafeTemporaryAllocation(byteCount: step, alignment: 64) { buffer in
      while true {
        let reached = reach.withLock { $0 }
        // Small writes are not worth waking up for.
        if reached.end - position < step, !reached.isFinal {
          grown.wait()
          continue
        }
        guard position < reached.end else { return }
        let got = pread(descriptor, buffer.baseAddress, min(step, reached.end - position), off_t(position))
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { throw FileError.system(file: path, operation: "read", code: got == 0 ? EIO : errno) }
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[0..<got]))
        position += got
      }
    }
    return Digest.hex(hash.finalize())
  }
}
