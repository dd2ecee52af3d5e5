import Foundation
import ZooCheckpoint

/// Reads HDF5: the structure through libhdf5 in the sandboxed worker, the bytes straight from the mapped file.
enum HDF5Reader {
  /// Bytes that a dataset may have without any in the file.
  private static let largestUnwritten = 16 << 20

  /// - Throws: ``WorkerError``, ``HDF5Error``, `FileError`.
  static func read(_ file: MappedFile) throws -> WeightFile {
    let contents = try contents(of: file, offset: 0, count: file.count)
    return try KerasLayout.weightFile(contents, file: file, format: .hdf5)
  }

  /// All datasets of the HDF5 file that stands in a range of `file`.
  static func contents(of file: MappedFile, offset: Int, count: Int) throws -> HDF5Contents {
    let reply = try Worker.run(.hdf5, on: file, offset: offset, count: count)
    let index: HDF5Index
    do { index = try JSONDecoder().decode(HDF5Index.self, from: reply) } catch {
      throw WorkerError.badReply(file: file.path, problem: "is no list of objects: a name may be no text")
    }
    var contents = HDF5Contents(objects: index.objects)
    let range = FileRange(file: file, offset: offset, count: count)
    var extents = HDF5Extents()
    for object in index.objects {
      guard let dataset = object.dataset else { continue }
      switch dtype(of: dataset, object) {
      case .success(let dtype):
        let tensor = try tensor(dataset, dtype: dtype, path: object.path, range, &extents)
        guard contents.tensors.updateValue(tensor, forKey: object.path) == nil else {
          throw HDF5Error(file: file.path, path: object.path, fault: .twice)
        }
      case .failure(let reason): contents.skipped.append(SkippedEntry(name: object.path, reason: reason.words))
      }
    }
    try extents.check(file: file.path)
    return contents
  }

  /// A part of a file that is an HDF5 file of its own.
  struct FileRange {
    let file: MappedFile
    let offset: Int
    let count: Int

    func storage(_ start: Int, _ size: Int, path: String) throws -> MappedStorage {
      guard start >= 0, size >= 0, start <= count, size <= count - start else {
        throw HDF5Error(file: file.path, path: path, fault: .outsideFile(offset: start, count: size))
      }
      return try MappedStorage(file: file, offset: offset + start, count: size)
    }
  }

  private struct Unreadable: Error { let words: String }

  private static func dtype(of dataset: HDF5Index.Dataset, _ object: HDF5Index.Object) -> Result<DType, Unreadable> {
    switch (dataset.kind, dataset.size) {
    case ("float", 8): .success(.float64)
    case ("float", 4): .success(.float32)
    case ("float", 2): .success(.float16)
    case ("bfloat", 2): .success(.bfloat16)
    case ("opaque", 2) where object.strings("dtype") == ["bfloat16"]: .success(.bfloat16)
    case ("signed", 8): .success(.int64)
    case ("signed", 4): .success(.int32)
    case ("signed", 2): .success(.int16)
    case ("signed", 1): .success(.int8)
    case ("unsigned", 8): .success(.uint64)
    case ("unsigned", 4): .success(.uint32)
    case ("unsigned", 2): .success(.uint16)
    case ("unsigned", 1): .success(.uint8)
    case ("bool", 1): .success(.bool)
    case ("string", _): .failure(Unreadable(words: "is text"))
    default: .failure(Unreadable(words: "has elements of \(dataset.size) bytes that are no numbers"))
    }
  }

  private static func tensor(
    _ dataset: HDF5Index.Dataset, dtype: DType, path: String, _ range: FileRange, _ extents: inout HDF5Extents
  ) throws -> Tensor {
    guard dataset.shape.count <= 32, let size = byteCount(dataset.shape, dtype.size) else {
      throw HDF5Error(file: range.file.path, path: path, fault: .shape(dataset.shape))
    }
    var storage = extents.storage(of: dataset)
    if storage == nil, size > 0 {
      let made = try self.storage(dataset, size: size, path: path, range)
      guard made.count >= size else {
        throw HDF5Error(file: range.file.path, path: path, fault: .tooShort(stored: made.count, needed: size))
      }
      try extents.add(dataset, made, path: path, file: range)
      storage = made
    }
    return try Tensor(
      dtype: dtype, shape: dataset.shape, storage: storage ?? MemoryStorage([]), isByteSwapped: dataset.bigEndian)
  }

  private static func storage(
    _ dataset: HDF5Index.Dataset, size: Int, path: String, _ range: FileRange
  ) throws -> any ByteStorage {
    if let bytes = dataset.bytes { return MemoryStorage(bytes) }
    if dataset.layout == "chunked" { return try HDF5ChunkedStorage(dataset, size: size, path: path, range) }
    if let offset = dataset.offset, let count = dataset.count { return try range.storage(offset, count, path: path) }
    guard size <= largestUnwritten else {
      throw HDF5Error(file: range.file.path, path: path, fault: .expandsTooFar(stored: 0, size: size))
    }
    return HDF5FilledStorage(size, fill: dataset.fill)
  }

  /// nil where it overflows or a size is negative.
  static func byteCount(_ shape: [Int], _ elementSize: Int) -> Int? {
    var count = elementSize
    for size in shape {
      let (product, overflowed) = count.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflowed else { return nil }
      count = product
    }
    return count
  }
}

/// Every dataset of an HDF5 file by its path, and the groups' attributes.
struct HDF5Contents {
  let objects: [HDF5Index.Object]
  /// By path, such as `/conv1/kernel:0`.
  var tensors: [String: Tensor] = [:]
  var skipped: [SkippedEntry] = []
}
