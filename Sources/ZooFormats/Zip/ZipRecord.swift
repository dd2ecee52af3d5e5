import CZlib
import Synchronization
import ZooCheckpoint

/// Bytes with a checksum.
protocol CheckedRecord: Sendable {
  /// Checks the bytes against their checksum unless that was done before, in little memory.
  func check() throws
}

/// A member of a zip archive as bytes for tensors.
protocol ZipRecord: ByteStorage, CheckedRecord {
  var entry: ZipEntry { get }
  /// Calls `body` with up to `count` of the first bytes, which are not checked yet.
  func withPrefix<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
}

/// CRC-32 of a byte sequence that comes in pieces.
struct RunningChecksum {
  private(set) var value: UInt32 = 0

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    value = UInt32(
      truncatingIfNeeded: crc32_z(uLong(value), base.assumingMemoryBound(to: Bytef.self), bytes.count))
  }
}

/// A member that stands in the file as it is: mapped, never copied, checked on first touch.
final class StoredRecord: ZipRecord {
  let file: MappedFile
  let entry: ZipEntry
  private let isChecked = Mutex(false)

  init(file: MappedFile, entry: ZipEntry) {
    self.file = file
    self.entry = entry
  }

  var count: Int { entry.size }
  /// Copying it inside the kernel checks nothing: call ``WeightFile/checkRecords()`` first.
  var fileRange: (file: MappedFile, offset: Int)? { (file, entry.dataOffset) }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try check(releasing: false)
    return try file.withBytes(offset: entry.dataOffset, count: entry.size, body)
  }

  func withPrefix<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try file.withBytes(offset: entry.dataOffset, count: min(count, entry.size), body)
  }

  func check() throws { try check(releasing: true) }

  private func check(releasing: Bool) throws {
    try isChecked.withLock { isChecked in
      guard !isChecked, entry.checksum != 0 else { return }
      var checksum = RunningChecksum()
      let piece = 8 << 20
      for start in stride(from: 0, to: entry.size, by: piece) {
        let (offset, count) = (entry.dataOffset + start, min(piece, entry.size - start))
        try file.withBytes(offset: offset, count: count) { checksum.update($0) }
        if releasing { file.release(offset: offset, count: count) }
      }
      guard checksum.value == entry.checksum else {
        throw ZipError(
          file: file.path, entry: entry.name, offset: entry.dataOffset,
          fault: .checksum(found: checksum.value, expected: entry.checksum))
      }
      isChecked = true
    }
  }
}

/// How many unpacked bytes the records of one archive may keep between them.
final class UnpackedBudget: Sendable {
  private let left = Mutex(64 << 20)

  /// - Returns: whether there was room.
  func take(_ count: Int) -> Bool {
    left.withLock { left in
      guard count <= left else { return false }
      left -= count
      return true
    }
  }
}

/// A compressed member, unpacked whenever its bytes are asked for; what fits the archive's budget is kept.
final class DeflatedRecord: ZipRecord {
  let file: MappedFile
  let entry: ZipEntry
  private let budget: UnpackedBudget
  private let kept = Mutex<[UInt8]?>(nil)
  private let isChecked = Mutex(false)
  private static let largestKept = 32 << 20

  init(file: MappedFile, entry: ZipEntry, budget: UnpackedBudget) {
    self.file = file
    self.entry = entry
    self.budget = budget
  }

  var count: Int { entry.size }
  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let bytes = try kept.withLock { kept in
      if let kept { return kept }
      let inflated = try inflate()
      if entry.size <= Self.largestKept, budget.take(entry.size) { kept = inflated }
      return inflated
    }
    return try bytes.withUnsafeBytes(body)
  }

  func withPrefix<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let count = min(count, entry.size)
    return try withUnsafeTemporaryAllocation(byteCount: max(count, 1), alignment: 8) { buffer in
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<count])
      let produced = try file.withBytes(offset: entry.dataOffset, count: entry.compressedSize) {
        inflateRaw($0, into: target)
      }
      // More than fits says only that the member goes on.
      return try body(UnsafeRawBufferPointer(rebasing: buffer[0..<min(produced, count)]))
    }
  }

  func check() throws {
    guard !isChecked.withLock({ $0 }) else { return }
    try withBytes { _ in }
  }

  private func inflate() throws -> [UInt8] {
    let bytes = try file.withBytes(offset: entry.dataOffset, count: entry.compressedSize) { compressed in
      try [UInt8](unsafeUninitializedCapacity: entry.size) { buffer, initialized in
        let produced = inflateRaw(compressed, into: UnsafeMutableRawBufferPointer(buffer))
        guard produced == entry.size else {
          throw ZipError(
            file: file.path, entry: entry.name, offset: entry.dataOffset,
            fault: .inflate(produced: produced, expected: entry.size))
        }
        initialized = entry.size
      }
    }
    var checksum = RunningChecksum()
    bytes.withUnsafeBytes { checksum.update($0) }
    guard entry.checksum == 0 || checksum.value == entry.checksum else {
      throw ZipError(
        file: file.path, entry: entry.name, offset: entry.dataOffset,
        fault: .checksum(found: checksum.value, expected: entry.checksum))
    }
    isChecked.withLock { $0 = true }
    return bytes
  }
}
