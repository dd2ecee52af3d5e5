import ZooCheckpoint

/// A zip archive read by its central directory, every member of which is checked against the header beside its data.
///
/// Archives that could mean two things to two readers are refused: duplicate names, overlapping members, bytes
/// before the archive, headers that differ.
struct ZipArchive: Sendable {
  let file: MappedFile
  /// In the directory's order.
  let entries: [ZipEntry]
  /// What stands at the end of the archive.
  let comment: [UInt8]
  private let index: [String: Int]
  private let budget = UnpackedBudget()

  /// - Throws: ``ZipError``.
  init(_ file: MappedFile) throws {
    self.file = file
    (entries, comment) = try file.withBytes(offset: 0, count: file.count) { bytes in
      let reader = try ZipEntryReader(bytes: LittleEndianBytes(bytes: bytes), file: file.path)
      return (try reader.entries(), [UInt8](bytes.suffix(reader.directory.commentLength)))
    }
    var index: [String: Int] = [:]
    for (position, entry) in entries.enumerated() {
      guard index.updateValue(position, forKey: entry.name) == nil else {
        throw ZipError(file: file.path, entry: entry.name, offset: entry.headerOffset, fault: .duplicateName)
      }
    }
    self.index = index
    let sorted = entries.sorted { $0.headerOffset < $1.headerOffset }
    if let first = sorted.first, first.headerOffset > 0 {
      throw ZipError(file: file.path, entry: nil, offset: 0, fault: .leadingBytes(count: first.headerOffset))
    }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.dataEnd > second.headerOffset {
      throw ZipError(
        file: file.path, entry: second.name, offset: second.headerOffset, fault: .overlap(with: first.name))
    }
  }

  subscript(name: String) -> ZipEntry? { index[name].map { entries[$0] } }

  /// The member's bytes, unpacked and checked against their CRC-32 when first read.
  func record(_ entry: ZipEntry) -> any ZipRecord {
    switch entry.method {
    case .stored: StoredRecord(file: file, entry: entry)
    case .deflated: DeflatedRecord(file: file, entry: entry, budget: budget)
    }
  }
}
