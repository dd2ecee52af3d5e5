import Crypto
import Dispatch

/// Takes a file's bytes in their order, hashes and writes them, each on a thread of its own, while the next are made.
///
/// A large file goes past the page cache where the file system can: finding memory for its pages costs more than writing it,
/// and would push other files out.
final class WritePipeline {
  /// A file from this size on goes past the page cache.
  static let large = 256 << 20
  /// Bytes that are written at once, and how many such pieces there are.
  private static let size = 4 << 20
  private static let depth = 4
  /// What direct writes are aligned to.
  private static let block = 4096

  private let target: PipelineTarget
  private let pool = Pool((0..<depth).map { _ in Piece(size: size, alignment: block) })
  private let hashing = DispatchQueue(label: "zoo.hashing")
  private let writing = DispatchQueue(label: "zoo.writing")
  private let hasher = QueuedHash()
  private var piece: Piece?
  /// Where the next piece begins in the file.
  private var position: Int
  /// Bytes at the start of the first piece that were there before.
  private var lead: Int

  /// - Parameters:
  ///   - offset: where the bytes begin; what stands before it in its block is written later or zero.
  ///   - expected: how many they are going to be.
  init(descriptor: Int32, path: String, offset: Int, expected: Int) {
    position = offset / Self.block * Self.block
    lead = offset - position
    target = PipelineTarget(descriptor: descriptor, path: path, isDirect: expected >= Self.large)
  }

  deinit {
    // The descriptor is closed next.
    hashing.sync {}
    writing.sync {}
  }

  /// - Throws: ``FileError``, of these bytes or of those before.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      try fill { room in
        let taken = min(room.count, rest.count)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<taken]))
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        return taken
      }
    }
  }

  /// Appends a range of another file.
  ///
  /// - Throws: as ``append(_:)``.
  func append(from source: MappedFile, offset: Int, count: Int) throws {
    var done = 0
    while done < count {
      try fill { room in
        let read = try source.read(
          into: UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - done)]), at: offset + done)
        done += read
        return read
      }
    }
  }

  /// Calls `body` with room for bytes; it says how many it put there.
  private func fill(_ body: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
    try target.check()
    let piece = self.piece ?? begun()
    self.piece = piece
    piece.end += try body(UnsafeMutableRawBufferPointer(rebasing: piece.bytes[piece.end...]))
    if piece.end == piece.bytes.count { submit() }
  }

  private func begun() -> Piece {
    let piece = pool.take()
    for index in 0..<lead { piece.bytes[index] = 0 }
    piece.end = lead
    return piece
  }

  private func submit(isLast: Bool = false) {
    guard let piece, piece.end > 0 else { return }
    let (position, lead) = (position, lead)
    piece.readers = 2
    hashing.async { [hasher, pool] in
      hasher.hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece.bytes[lead..<piece.end]))
      pool.finished(piece)
    }
    writing.async { [target, pool] in
      target.write(piece, at: position, isLast: isLast)
      pool.finished(piece)
    }
    self.position += piece.end
    self.lead = 0
    self.piece = nil
  }

  /// Writes the rest, begins to sync it and gives the digest of all that was appended.
  ///
  /// - Throws: ``FileError``.
  func finish() throws -> String {
    submit(isLast: true)
    writing.async { [target] in target.sync() }
    let digest = hashing.sync { Digest.hex(hasher.hash.finalize()) }
    writing.sync {}
    try target.check()
    return digest
  }
}
