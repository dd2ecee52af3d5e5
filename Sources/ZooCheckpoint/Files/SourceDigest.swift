import Crypto
import Synchronization

/// SHA-256 of a whole file, computed on a thread of its own from now on, while others find out what the file is.
///
/// Whoever lets go of it before ``wait()`` ends the work.
public final class SourceDigest: Sendable {
  /// As it was given.
  public let path: String
  private let work: BackgroundWork<String>
  private let abandoned = Flag()

  /// - Throws: ``FileError``.
  public init(path: String) throws(FileError) {
    let file = try MappedFile(path: path)
    self.path = path
    work = BackgroundWork { [abandoned] in
      var hash = SHA256()
      try file.forEachPiece { bytes in
        if abandoned.isSet { throw CancellationError() }
        hash.update(bufferPointer: bytes)
      }
      return Digest.hex(hash.finalize())
    }
  }

  deinit { abandoned.set() }

  /// Lower-case hexadecimal. May be called several times.
  ///
  /// - Throws: ``FileError``.
  public func wait() throws -> String { try work.wait() }
}

/// Something that one thread tells another.
private final class Flag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
