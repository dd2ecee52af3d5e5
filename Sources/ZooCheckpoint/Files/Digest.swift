import Crypto

/// SHA-256 and MD5 over files, as lower-case hexadecimal.
public enum Digest {
  /// - Throws: ``FileError``.
  public static func sha256(of file: MappedFile, from offset: Int = 0) throws -> String {
    try hash(file, from: offset, with: SHA256())
  }

  /// Only to be held against what publishers give: MD5 tells damage, not forgery.
  ///
  /// - Throws: ``FileError``.
  public static func md5(of file: MappedFile) throws -> String { try hash(file, from: 0, with: Insecure.MD5()) }

  private static func hash(_ file: MappedFile, from offset: Int, with function: some HashFunction) throws -> String {
    var hash = function
    let step = 4 << 20
    var position = offset
    while position < file.count {
      let size = min(step, file.count - position)
      try file.withBytes(offset: position, count: size) { hash.update(bufferPointer: $0) }
      file.release(offset: position, count: size)
      position += size
    }
    return hex(hash.finalize())
  }

  public static func sha256(of text: String) -> String {
    var hash = SHA256()
    var text = text
    text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    return hex(hash.finalize())
  }

  static func hex(_ digest: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
