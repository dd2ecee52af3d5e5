import Crypto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// SHA-256 of bytes that arrive one after another, and MD5 beside it where a publisher gives nothing else.
public struct RunningDigest {
  /// Lower-case hexadecimal.
  public struct Sums: Sendable, Equatable {
    public let sha256: String
    public let md5: String?
  }

  private var sha256 = SHA256()
  private var md5: Insecure.MD5?
  /// Bytes so far.
  public private(set) var count = 0

  public init(withMD5: Bool = false) { md5 = withMD5 ? Insecure.MD5() : nil }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    sha256.update(bufferPointer: bytes)
    md5?.update(bufferPointer: bytes)
    count += bytes.count
  }

  /// Takes the bytes of an open file from ``count`` to `end`.
  ///
  /// - Throws: ``FileError``.
  public mutating func update(from descriptor: Int32, to end: Int, path: String) throws(FileError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while count < end {
      let got = pread(descriptor, &buffer, min(buffer.count, end - count), off_t(count))
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw .system(file: path, operation: "read", code: got == 0 ? EIO : errno) }
      buffer.withUnsafeBytes { update(UnsafeRawBufferPointer(rebasing: $0[0..<got])) }
    }
  }

  /// Of the bytes so far; more may follow.
  public var sums: Sums { Sums(sha256: Digest.hex(sha256.finalize()), md5: md5.map { Digest.hex($0.finalize()) }) }
}
