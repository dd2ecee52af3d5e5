import ZooCheckpoint

/// A range of another storage, such as the data after a header inside a zip's member.
final class SlicedStorage: ByteStorage {
  private let base: any ByteStorage
  private let offset: Int
  let count: Int

  /// - Precondition: the range lies inside the storage.
  init(_ base: any ByteStorage, offset: Int, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset <= base.count - count)
    self.base = base
    self.offset = offset
    self.count = count
  }

  var fileRange: (file: MappedFile, offset: Int)? { base.fileRange.map { ($0.file, $0.offset + offset) } }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try base.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + count)])) }
  }
}
