import Synchronization
import ZooCheckpoint

/// A dataset stored in chunks, put together when its bytes are asked for; small ones are kept.
final class HDF5ChunkedStorage: ByteStorage {
  let count: Int
  private let dataset: HDF5Index.Dataset
  private let chunkShape: [Int]
  private let chunkBytes: Int
  private let stored: [MappedStorage]
  private let path: String
  private let file: String
  private let kept = Mutex<[UInt8]?>(nil)

  private static let largestKept = 32 << 20
  /// Real weights hardly shrink; more than this is a bomb once it is large.
  private static let largestRatio = 1000
  private static let freeSize = 16 << 20

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  /// - Parameter size: of the whole dataset, in bytes.
  /// - Throws: ``HDF5Error``.
  init(_ dataset: HDF5Index.Dataset, size: Int, path: String, _ range: HDF5Reader.FileRange) throws {
    let file = range.file.path
    func fail(_ fault: HDF5Error.Fault) -> HDF5Error { HDF5Error(file: file, path: path, fault: fault) }
    let chunkShape = dataset.chunk ?? []
    guard chunkShape.count == dataset.shape.count, chunkShape.allSatisfy({ $0 > 0 }),
      let chunkBytes = HDF5Reader.byteCount(chunkShape, dataset.size), chunkBytes < 1 << 32
    else { throw fail(.shape(chunkShape)) }
    for filter in dataset.filters ?? [] where HDF5Filter(rawValue: filter) == nil { throw fail(.foreignFilter(filter)) }
    let chunks = dataset.chunks ?? []
    var storedBytes = 0
    var places: Set<[Int]> = []
    for chunk in chunks {
      guard chunk.at.count == chunkShape.count,
        zip(chunk.at, dataset.shape).allSatisfy({ $0 >= 0 && $0 < $1 }),
        zip(chunk.at, chunkShape).allSatisfy({ $0 % $1 == 0 })
      else { throw fail(.badChunk(at: chunk.at, problem: "stands outside the dataset")) }
      // A tree that lists one chunk a million times would have it unpacked as often.
      guard places.insert(chunk.at).inserted else { throw fail(.badChunk(at: chunk.at, problem: "is listed twice")) }
      storedBytes &+= max(chunk.count, 0)
    }
    // A chunk unpacks whole, even where the dataset needs a corner of it.
    let unpacked = max(size, chunks.isEmpty ? 0 : chunkBytes)
    guard unpacked <= Self.freeSize || unpacked / Self.largestRatio <= storedBytes else {
      throw fail(.expandsTooFar(stored: storedBytes, size: unpacked))
    }
    stored = try chunks.map { try range.storage($0.offset, $0.count, path: path) }
    self.dataset = dataset
    self.chunkShape = chunkShape
    self.chunkBytes = chunkBytes
    self.path = path
    self.file = file
    count = size
  }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    let bytes = try kept.withLock { kept in
      if let kept { return kept }
      let whole = try assemble()
      if count <= Self.largestKept { kept = whole }
      return whole
    }
    return try bytes.withUnsafeBytes(body)
  }

  private func assemble() throws -> [UInt8] {
    var whole = HDF5FilledStorage.bytes(count, fill: dataset.fill)
    try whole.withUnsafeMutableBytes { target in
      for (chunk, storage) in zip(dataset.chunks ?? [], stored) {
        let bytes = try storage.withBytes { try decode($0, chunk) }
        bytes.withUnsafeBytes { place($0, at: chunk.at, into: target) }
      }
    }
    return whole
  }

  /// Undoes the filters, last applied first.
  private func decode(_ bytes: UnsafeRawBufferPointer, _ chunk: HDF5Index.Chunk) throws -> [UInt8] {
    var current = [UInt8](bytes)
    for (position, number) in (dataset.filters ?? []).enumerated().reversed() where chunk.mask >> position & 1 == 0 {
      guard let filter = HDF5Filter(rawValue: number),
        let undone = filter.undo(current, elementSize: dataset.size, unpacked: chunkBytes + 4)
      else {
        throw HDF5Error(
          file: file, path: path, fault: .badChunk(at: chunk.at, problem: "is damaged (filter \(number))"))
      }
      current = undone
    }
    guard current.count == chunkBytes else {
      throw HDF5Error(
        file: file, path: path,
        fault: .badChunk(at: chunk.at, problem: "unpacks to \(current.count) bytes, expected \(chunkBytes)"))
    }
    return current
  }

  /// Copies a chunk row by row, cut where the dataset ends.
  private func place(_ chunk: UnsafeRawBufferPointer, at origin: [Int], into target: UnsafeMutableRawBufferPointer) {
    let (shape, rank) = (dataset.shape, dataset.shape.count)
    guard rank > 0 else { return target.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[0..<count])) }
    let extent = (0..<rank).map { min(chunkShape[$0], shape[$0] - origin[$0]) }
    let row = extent[rank - 1] * dataset.size
    var position = [Int](repeating: 0, count: rank)
    while true {
      var (from, to) = (0, 0)
      for axis in 0..<rank {
        from = from * chunkShape[axis] + position[axis]
        to = to * shape[axis] + origin[axis] + position[axis]
      }
      let source = UnsafeRawBufferPointer(rebasing: chunk[from * dataset.size..<from * dataset.size + row])
      UnsafeMutableRawBufferPointer(rebasing: target[to * dataset.size..<to * dataset.size + row]).copyMemory(
        from: source)
      var axis = rank - 2
      while axis >= 0 {
        position[axis] += 1
        if position[axis] < extent[axis] { break }
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
