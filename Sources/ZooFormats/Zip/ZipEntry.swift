/// A member of a zip archive whose two descriptions agree.
struct ZipEntry: Sendable {
  enum Method: Int, Sendable {
    case stored = 0
    case deflated = 8
  }

  let name: String
  let method: Method
  /// CRC-32 of the uncompressed bytes; 0 where the writer left it out, as `torch.save` can be told to.
  let checksum: UInt32
  let compressedSize: Int
  let size: Int
  let headerOffset: Int
  /// Where the (compressed) bytes start in the file.
  let dataOffset: Int

  var dataEnd: Int { dataOffset + compressedSize }
}
