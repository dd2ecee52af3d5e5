/// Reads the members of a zip archive's directory and holds each to the header beside its data.
struct ZipEntryReader {
  let bytes: LittleEndianBytes
  let file: String
  let directory: ZipDirectory

  init(bytes: LittleEndianBytes, file: String) throws(ZipError) {
    self.bytes = bytes
    self.file = file
    directory = try ZipDirectory(bytes, file: file)
  }

  /// What one of the two headers says.
  private struct Header {
    var flags = 0
    var method = 0
    var checksum: UInt32 = 0
    var compressedSize = 0
    var size = 0
    var name = ""
  }

  private static let centralSignature: UInt32 = 0x0201_4B50
  private static let localSignature: UInt32 = 0x0403_4B50
  /// Real weights hardly shrink at all; a hundredfold is a bomb once it is large.
  private static let largestRatio = 100
  private static let freeSize = 16 << 20
  /// Bits 0, 5, 6 and 13: encrypted, patched, strongly encrypted, headers masked. Some readers ignore them.
  private static let refusedFlags = 0x2061

  private func fail(_ entry: String?, _ offset: Int, _ fault: ZipError.Fault) -> ZipError {
    ZipError(file: file, entry: entry, offset: offset, fault: fault)
  }

  func entries() throws(ZipError) -> [ZipEntry] {
    var entries: [ZipEntry] = []
    entries.reserveCapacity(directory.count)
    var place = directory.offset
    let end = directory.offset + directory.size
    while place < end {
      let (entry, next) = try self.entry(at: place)
      guard next <= end else { throw fail(entry.name, place, .truncated(needed: next - place, remaining: end - place)) }
      entries.append(entry)
      place = next
    }
    guard entries.count == directory.count else {
      throw fail(nil, directory.offset, .entryCount(found: entries.count, expected: directory.count))
    }
    return entries
  }

  private func entry(at place: Int) throws(ZipError) -> (ZipEntry, next: Int) {
    guard let signature = bytes.uint32(place), let nameLength = bytes.uint16(place + 28),
      let extraLength = bytes.uint16(place + 30), let commentLength = bytes.uint16(place + 32),
      let localOffset = bytes.uint32(place + 42)
    else { throw fail(nil, place, .truncated(needed: 46, remaining: bytes.count - place)) }
    guard signature == Self.centralSignature else {
      throw fail(nil, place, .badSignature(found: signature, expected: Self.centralSignature))
    }
    var header = try self.header(fields: place + 8, name: place + 46, length: Int(nameLength), at: place)
    var offset = Int(localOffset)
    let extra = place + 46 + Int(nameLength)
    try applyZip64(extra: extra, length: Int(extraLength), header: &header, offset: &offset)
    try refuseSecondName(extra: extra, length: Int(extraLength), name: header.name)
    try check(header, at: place)
    guard let method = ZipEntry.Method(rawValue: header.method) else {
      throw fail(header.name, place, .unsupportedMethod(header.method))
    }
    let dataOffset = try matchLocal(header, at: offset)
    guard header.compressedSize <= directory.offset - dataOffset else {
      throw fail(
        header.name, offset, .truncated(needed: header.compressedSize, remaining: max(directory.offset - dataOffset, 0))
      )
    }
    let entry = ZipEntry(
      name: header.name, method: method, checksum: header.checksum, compressedSize: header.compressedSize,
      size: header.size, headerOffset: offset, dataOffset: dataOffset)
    return (entry, extra + Int(extraLength) + Int(commentLength))
  }

  /// The fields that both headers have in the same order: flags, method, time, date, CRC, sizes.
  private func header(fields: Int, name: Int, length: Int, at place: Int) throws(ZipError) -> Header {
    guard let flags = bytes.uint16(fields), let method = bytes.uint16(fields + 2),
      let checksum = bytes.uint32(fields + 8), let compressed = bytes.uint32(fields + 12),
      let size = bytes.uint32(fields + 16), let name = bytes.range(name, length)
    else { throw fail(nil, place, .truncated(needed: 46 + length, remaining: bytes.count - place)) }
    guard let text = String(validating: name, as: UTF8.self) else { throw fail(nil, place, .unsafeName) }
    return Header(
      flags: Int(flags), method: Int(method), checksum: checksum, compressedSize: Int(compressed), size: Int(size),
      name: text)
  }

  /// Replaces saturated 32-bit fields by their 64-bit values (extra field 1).
  private func applyZip64(extra: Int, length: Int, header: inout Header, offset: inout Int) throws(ZipError) {
    let all = 0xFFFF_FFFF
    guard header.size == all || header.compressedSize == all || offset == all else { return }
    var place = extra
    while place + 4 <= extra + length {
      guard let tag = bytes.uint16(place), let size = bytes.uint16(place + 2) else { break }
      var field = place + 4
      place = field + Int(size)
      guard tag == 1 else { continue }
      func next() throws(ZipError) -> Int {
        guard field + 8 <= place, let value = bytes.size64(field) else {
          throw fail(header.name, field, .truncated(needed: 8, remaining: max(place - field, 0)))
        }
        field += 8
        return value
      }
      if header.size == all { header.size = try next() }
      if header.compressedSize == all { header.compressedSize = try next() }
      if offset == all { offset = try next() }
      return
    }
  }

  /// Some readers take the name from a Unicode path field (0x7075) instead of the header; it must be the same.
  private func refuseSecondName(extra: Int, length: Int, name: String) throws(ZipError) {
    var place = extra
    while place + 4 <= extra + length, let tag = bytes.uint16(place), let size = bytes.uint16(place + 2) {
      // A version byte and the CRC-32 of the header's name come first.
      if tag == 0x7075, size >= 5, let other = bytes.range(place + 9, Int(size) - 5), !other.elementsEqual(name.utf8) {
        throw fail(
          name, place,
          .localDiffers(field: "the Unicode name", local: String(decoding: other, as: UTF8.self), central: name))
      }
      place += 4 + Int(size)
    }
  }

  private func check(_ header: Header, at place: Int) throws(ZipError) {
    let components = header.name.split(separator: "/", omittingEmptySubsequences: false)
    guard !header.name.isEmpty, !header.name.hasPrefix("/"), !components.contains(".."),
      !header.name.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\\" })
    else { throw fail(header.name, place, .unsafeName) }
    guard header.flags & Self.refusedFlags == 0 else { throw fail(header.name, place, .encrypted) }
    if header.method == 0, header.size != header.compressedSize {
      throw fail(header.name, place, .storedSizeDiffers(compressed: header.compressedSize, size: header.size))
    }
    if header.size > Self.freeSize, header.size / Self.largestRatio > header.compressedSize {
      throw fail(header.name, place, .expandsTooFar(compressed: header.compressedSize, size: header.size))
    }
  }

  /// Checks the header beside the data and returns where the data starts.
  private func matchLocal(_ central: Header, at offset: Int) throws(ZipError) -> Int {
    guard let signature = bytes.uint32(offset), let nameLength = bytes.uint16(offset + 26),
      let extraLength = bytes.uint16(offset + 28)
    else { throw fail(central.name, offset, .truncated(needed: 30, remaining: max(bytes.count - offset, 0))) }
    guard signature == Self.localSignature else {
      throw fail(central.name, offset, .badSignature(found: signature, expected: Self.localSignature))
    }
    var local = try header(fields: offset + 6, name: offset + 30, length: Int(nameLength), at: offset)
    var unused = 0
    try applyZip64(
      extra: offset + 30 + Int(nameLength), length: Int(extraLength), header: &local, offset: &unused)
    func same(_ field: String, _ local: String, _ central: String) throws(ZipError) {
      guard local == central else {
        throw fail(central, offset, .localDiffers(field: field, local: local, central: central))
      }
    }
    guard local.name.utf8.elementsEqual(central.name.utf8) else {
      throw fail(central.name, offset, .localDiffers(field: "name", local: local.name, central: central.name))
    }
    try same("method", "\(local.method)", "\(central.method)")
    // Bit 3: sizes and CRC may follow the data, with zeros here.
    let deferred = central.flags & local.flags & 8 != 0
    for (field, here, there) in [
      ("CRC-32", Int(local.checksum), Int(central.checksum)), ("size", local.size, central.size),
      ("compressed size", local.compressedSize, central.compressedSize),
    ] where here != there && !(deferred && here == 0) {
      throw fail(central.name, offset, .localDiffers(field: field, local: "\(here)", central: "\(there)"))
    }
    guard local.flags & Self.refusedFlags == 0 else { throw fail(central.name, offset, .encrypted) }
    return offset + 30 + Int(nameLength) + Int(extraLength)
  }
}
