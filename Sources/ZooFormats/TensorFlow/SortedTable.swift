import ZooCheckpoint

/// The entries of a LevelDB table, which a TensorFlow checkpoint's index is.
///
/// Layout: https://github.com/google/leveldb/blob/main/doc/table_format.md. Blocks are checked against their CRC-32C.
struct SortedTable {
  static let magic: UInt64 = 0xDB47_7524_8B80_FB57
  private static let footer = 48
  private static let mostEntries = 1 << 22

  private(set) var entries: [(key: String, value: UnsafeRawBufferPointer)] = []
  private let bytes: UnsafeRawBufferPointer
  private let file: String

  /// - Parameter bytes: the whole file; values are parts of it.
  /// - Throws: ``TensorFlowError``.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(TensorFlowError) {
    self.bytes = bytes
    self.file = file
    let reader = LittleEndianBytes(bytes: bytes)
    let start = bytes.count - Self.footer
    guard let low = reader.uint32(bytes.count - 8), let high = reader.uint32(bytes.count - 4),
      UInt64(high) << 32 | UInt64(low) == Self.magic, let footer = reader.range(start, 40)
    else { throw Self.fail(file, start, "no footer of a table") }
    var handles = ProtobufFields(footer)
    guard let otherOffset = handles.varint(), let otherSize = handles.varint(), let offset = handles.varint(),
      let size = handles.varint()
    else { throw Self.fail(file, start, "a footer without its index") }
    // The block of filters is not needed, but it must be whole.
    _ = try block(offset: otherOffset, size: otherSize)
    for (_, handle) in try block(offset: offset, size: size) {
      var fields = ProtobufFields(handle)
      guard let offset = fields.varint(), let size = fields.varint() else {
        throw Self.fail(file, start, "an index entry that names no block")
      }
      entries += try block(offset: offset, size: size)
      guard entries.count <= Self.mostEntries else { throw Self.fail(file, start, "more entries than any model has") }
    }
  }

  private static func fail(_ file: String, _ offset: Int, _ problem: String) -> TensorFlowError {
    .malformedIndex(file: file, offset: offset, problem: problem)
  }

  /// A block's entries: each key repeats the beginning of the one before it.
  private func block(
    offset: UInt64, size: UInt64
  ) throws(TensorFlowError) -> [(key: String, value: UnsafeRawBufferPointer)] {
    let reader = LittleEndianBytes(bytes: bytes)
    guard offset <= UInt64(bytes.count), size <= UInt64(bytes.count),
      let whole = reader.range(Int(offset), Int(size) + 5), let restarts = reader.uint32(Int(offset + size) - 4),
      let checksum = reader.uint32(Int(offset + size) + 1)
    else { throw Self.fail(file, Int(clamping: offset), "a block beyond the file") }
    let place = Int(offset)
    let stored = UnsafeRawBufferPointer(rebasing: whole[0..<(Int(size) + 1)])
    guard CRC32C.masked(stored) == checksum else { throw Self.fail(file, place, "a block that is damaged (CRC-32C)") }
    guard whole[Int(size)] == 0 else {
      throw Self.fail(file, place, "a compressed block, which TensorFlow never writes")
    }
    guard Int(restarts) <= (Int(size) - 4) / 4 else { throw Self.fail(file, place, "a block of restarts only") }
    let end = Int(size) - 4 - 4 * Int(restarts)
    var fields = ProtobufFields(UnsafeRawBufferPointer(rebasing: whole[0..<end]))
    var key: [UInt8] = []
    var entries: [(key: String, value: UnsafeRawBufferPointer)] = []
    while fields.position < end {
      guard let shared = fields.varint(), let own = fields.varint(), let length = fields.varint(),
        shared <= UInt64(key.count), own <= UInt64(end - fields.position),
        let suffix = fields.take(Int(own)), length <= UInt64(end - fields.position),
        let value = fields.take(Int(length))
      else { throw Self.fail(file, place, "an entry beyond its block") }
      key = Array(key.prefix(Int(shared))) + suffix
      guard key.count <= 1 << 16, let text = String(validating: key, as: UTF8.self) else {
        throw Self.fail(file, place, "a name that is no text")
      }
      entries.append((text, value))
    }
    return entries
  }
}
