import CZlib
import ZooCheckpoint

/// Writes a zip archive of stored members whose data is aligned, so that readers can map it.
///
/// Layout: PKWARE APPNOTE 6.3; 64-bit records where sizes need them. Dates are 1980-01-01, so that the same members give
/// the same bytes.
struct ZipWriter {
  private struct Member {
    let name: [UInt8]
    let checksum: UInt32
    let size: Int
    let offset: Int
  }

  private let file: AtomicFile
  private let alignment: Int
  private var members: [Member] = []
  /// What a 32-bit field holds where the number is in a 64-bit record.
  private static let saturated = 0xFFFF_FFFF

  /// - Parameter alignment: of every member's data, in bytes; PyTorch's and NumPy's is 64.
  init(_ file: AtomicFile, alignment: Int = 64) {
    self.file = file
    self.alignment = alignment
  }

  /// Adds a member of known bytes.
  ///
  /// - Throws: `FileError`.
  mutating func add(_ name: String, _ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    try add(name, size: bytes.count) { file, checksum in
      try bytes.withUnsafeBytes {
        checksum.update($0)
        try file.write($0)
      }
    }
  }

  /// Adds a member of a tensor's elements after `prefix`.
  ///
  /// - Throws: `FileError`, `TensorError`.
  mutating func add(_ name: String, prefix: [UInt8] = [], _ tensor: Tensor, as dtype: DType) throws {
    try add(name, size: prefix.count + tensor.elementCount * dtype.size) { file, checksum in
      try prefix.withUnsafeBytes {
        checksum.update($0)
        try file.write($0)
      }
      guard tensor.elementCount > 0 else { return }
      if let range = tensor.unchangedRange(as: dtype) {
        let piece = 8 << 20
        for start in stride(from: 0, to: tensor.byteCount, by: piece) {
          let (offset, count) = (range.offset + start, min(piece, tensor.byteCount - start))
          try range.file.withBytes(offset: offset, count: count) { checksum.update($0) }
          try file.copy(from: range.file, offset: offset, count: count)
          range.file.release(offset: offset, count: count)
        }
      } else {
        try tensor.forEachPiece(as: dtype) {
          checksum.update($0)
          try file.write($0)
        }
      }
    }
  }

  private mutating func add(
    _ name: String, size: Int, _ write: (AtomicFile, inout WrittenChecksum) throws -> Void
  ) throws {
    let offset = file.count
    let name = Array(name.utf8)
    let room = localHeader(name, checksum: 0, size: size, offset: offset).count
    file.skip(room)
    var checksum = WrittenChecksum()
    try write(file, &checksum)
    // The sum of the bytes is known only now.
    let header = localHeader(name, checksum: checksum.value, size: size, offset: offset)
    try header.withUnsafeBytes { try file.write($0, at: offset) }
    members.append(Member(name: name, checksum: checksum.value, size: size, offset: offset))
  }

  /// Writes the directory; nothing can be added after it.
  ///
  /// - Parameter comment: at most 65535 bytes.
  /// - Throws: `FileError`.
  func finish(comment: [UInt8] = []) throws {
    var directory = LittleEndianWriter()
    for member in members { append(member, to: &directory) }
    let start = file.count
    let size = directory.bytes.count
    if members.count >= 0xFFFF || start >= Self.saturated || size >= Self.saturated {
      let place = start + size
      directory.append(UInt32(0x0606_4B50))
      directory.append(UInt64(44))
      for version in [UInt16(45), 45] { directory.append(version) }
      for disk in [UInt32(0), 0] { directory.append(disk) }
      for number in [members.count, members.count, size, start] { directory.append(UInt64(number)) }
      directory.append(UInt32(0x0706_4B50))
      directory.append(UInt32(0))
      directory.append(UInt64(place))
      directory.append(UInt32(1))
    }
    directory.append(UInt32(0x0605_4B50))
    for disk in [UInt16(0), 0] { directory.append(disk) }
    for _ in 0..<2 { directory.append(UInt16(min(members.count, 0xFFFF))) }
    for number in [size, start] { directory.append(UInt32(min(number, Self.saturated))) }
    directory.append(UInt16(min(comment.count, 0xFFFF)))
    directory.append(comment.prefix(0xFFFF))
    try directory.bytes.withUnsafeBytes { try file.write($0) }
  }

  /// The header beside the data, with an extra field (`FB`, as PyTorch's) that moves the data to a multiple of the
  /// alignment.
  private func localHeader(_ name: [UInt8], checksum: UInt32, size: Int, offset: Int) -> [UInt8] {
    var header = LittleEndianWriter()
    var extra = LittleEndianWriter()
    if size >= Self.saturated {
      extra.append(UInt16(1))
      extra.append(UInt16(16))
      for _ in 0..<2 { extra.append(UInt64(size)) }
    }
    let end = offset + 30 + name.count + extra.bytes.count
    var padding = (alignment - end % alignment) % alignment
    if padding > 0, padding < 4 { padding += alignment }
    if padding > 0 {
      extra.append(Array("FB".utf8))
      extra.append(UInt16(padding - 4))
      extra.append(repeating: UInt8(ascii: "Z"), count: padding - 4)
    }
    header.append(UInt32(0x0403_4B50))
    appendCommon(checksum: checksum, size: size, is64: size >= Self.saturated, to: &header)
    header.append(UInt16(name.count))
    header.append(UInt16(extra.bytes.count))
    header.append(name)
    header.append(extra.bytes)
    return header.bytes
  }

  private func append(_ member: Member, to directory: inout LittleEndianWriter) {
    var extra = LittleEndianWriter()
    let (large, far) = (member.size >= Self.saturated, member.offset >= Self.saturated)
    if large || far {
      extra.append(UInt16(1))
      extra.append(UInt16((large ? 16 : 0) + (far ? 8 : 0)))
      if large { for _ in 0..<2 { extra.append(UInt64(member.size)) } }
      if far { extra.append(UInt64(member.offset)) }
    }
    directory.append(UInt32(0x0201_4B50))
    directory.append(UInt16(45))
    appendCommon(checksum: member.checksum, size: member.size, is64: large || far, to: &directory)
    directory.append(UInt16(member.name.count))
    directory.append(UInt16(extra.bytes.count))
    // Comment, disk, internal attributes, external attributes.
    directory.append(repeating: 0, count: 10)
    directory.append(UInt32(min(member.offset, Self.saturated)))
    directory.append(member.name)
    directory.append(extra.bytes)
  }

  /// Version needed, flags (UTF-8 names), method (stored), time, date, CRC-32, sizes.
  private func appendCommon(checksum: UInt32, size: Int, is64: Bool, to header: inout LittleEndianWriter) {
    header.append(UInt16(is64 ? 45 : 20))
    header.append(UInt16(0x0800))
    header.append(UInt16(0))
    header.append(UInt16(0))
    header.append(UInt16(0x21))
    header.append(checksum)
    for _ in 0..<2 { header.append(UInt32(size >= Self.saturated ? Self.saturated : size)) }
  }
}

/// CRC-32 of bytes on their way.
struct WrittenChecksum {
  private(set) var value: UInt32 = 0

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    value = UInt32(
      truncatingIfNeeded: crc32_z(uLong(value), base.assumingMemoryBound(to: Bytef.self), bytes.count))
  }
}
