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
    try file.forEachPiece(from: offset) { hash.update(bufferPointer: $0) }
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
