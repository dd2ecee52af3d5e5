import ZooCheckpoint

/// Where the central directory of a zip archive is and how many members it lists.
///
/// Layout: PKWARE APPNOTE 6.3, sections 4.3.14 to 4.3.16.
struct ZipDirectory {
  let offset: Int
  let size: Int
  let count: Int
  /// Bytes of text at the very end of the file.
  let commentLength: Int

  static let endSignature: UInt32 = 0x0605_4B50
  static let end64Signature: UInt32 = 0x0606_4B50
  static let locator64Signature: UInt32 = 0x0706_4B50

  /// Finds the one directory that ends exactly where the file does.
  init(_ bytes: LittleEndianBytes, file: String) throws(ZipError) {
    func fail(_ offset: Int, _ fault: ZipError.Fault) -> ZipError {
      ZipError(file: file, entry: nil, offset: offset, fault: fault)
    }
    let lowest = max(0, bytes.count - 22 - 0xFFFF)
    let ends = stride(from: bytes.count - 22, through: lowest, by: -1).filter { place in
      bytes.uint32(place) == Self.endSignature
        && bytes.uint16(place + 20).map { place + 22 + Int($0) == bytes.count } == true
    }
    guard let end = ends.first else { throw fail(max(bytes.count - 22, 0), .noDirectory) }
    guard ends.count == 1 else { throw fail(end, .ambiguousDirectory) }
    guard let disk = bytes.uint32(end + 4), let countHere = bytes.uint16(end + 8),
      let count = bytes.uint16(end + 10), let size = bytes.uint32(end + 12), let offset = bytes.uint32(end + 16)
    else { throw fail(end, .noDirectory) }

    commentLength = bytes.count - 22 - end
    var (directoryEnd, total) = (end, Int(count))
    var (directorySize, directoryOffset) = (Int(size), Int(offset))
    if bytes.uint32(end - 20) == Self.locator64Signature {
      guard let place = bytes.size64(end - 20 + 8), bytes.uint32(place) == Self.end64Signature,
        let recordSize = bytes.size64(place + 4), let disk64 = bytes.uint32(place + 16),
        let directoryDisk = bytes.uint32(place + 20), let count64Here = bytes.size64(place + 24),
        let count64 = bytes.size64(place + 32), let size64 = bytes.size64(place + 40),
        let offset64 = bytes.size64(place + 48)
      else { throw fail(end - 20, .noDirectory) }
      for (small, large, all) in [
        (Int(count), count64, 0xFFFF), (Int(size), size64, 0xFFFF_FFFF), (Int(offset), offset64, 0xFFFF_FFFF),
      ] where small != all && small != large {
        throw fail(place, .ambiguousDirectory)
      }
      // Some readers believe the locator, others take the bytes before it: both must find this one.
      guard recordSize == 44, place == end - 20 - 56 else { throw fail(place, .ambiguousDirectory) }
      guard disk64 == 0, directoryDisk == 0, count64Here == count64 else { throw fail(place, .severalDisks) }
      (directoryEnd, total, directorySize, directoryOffset) = (place, count64, size64, offset64)
    } else {
      guard disk == 0, countHere == count else { throw fail(end, .severalDisks) }
    }
    // Bytes before the archive or a gap after its directory would let two readers see two archives.
    guard directorySize <= directoryEnd, directoryOffset == directoryEnd - directorySize else {
      throw fail(end, .directoryOutOfPlace(offset: directoryOffset, size: directorySize, end: directoryEnd))
    }
    guard total <= directorySize / 46 else {
      throw fail(end, .entryCount(found: directorySize / 46, expected: total))
    }
    (self.offset, self.size, self.count) = (directoryOffset, directorySize, total)
  }
}
