import ZooCheckpoint

/// Which bytes of the file belong to which dataset.
///
/// Two names of one dataset (hard links) share its storage; datasets that share some bytes only are made to deceive.
struct HDF5Extents {
  /// What all datasets may expand to, for each byte of the file; real weights hardly shrink.
  private static let largestRatio = 1000
  private static let freeSize = 64 << 20

  private var storages: [HDF5Index.Dataset: any ByteStorage] = [:]
  private var ranges: [(start: Int, end: Int, path: String)] = []
  private var expanded = 0

  /// The storage of a dataset seen before, where it is the same in all respects.
  func storage(of dataset: HDF5Index.Dataset) -> (any ByteStorage)? {
    Self.hasPlace(dataset) ? storages[dataset] : nil
  }

  /// - Throws: ``HDF5Error`` where the datasets together expand too far.
  mutating func add(
    _ dataset: HDF5Index.Dataset, _ storage: any ByteStorage, path: String, file: HDF5Reader.FileRange
  ) throws(HDF5Error) {
    let (sum, overflowed) = expanded.addingReportingOverflow(storage.count)
    let most = file.count.multipliedReportingOverflow(by: Self.largestRatio)
    guard !overflowed, sum <= Self.freeSize || sum <= (most.overflow ? Int.max : most.partialValue) else {
      throw HDF5Error(
        file: file.file.path, path: path, fault: .expandsTooFar(stored: file.count, size: overflowed ? Int.max : sum))
    }
    expanded = sum
    guard Self.hasPlace(dataset) else { return }
    storages[dataset] = storage
    if let offset = dataset.offset, let count = dataset.count, count > 0 {
      ranges.append((offset, offset + count, path))
    }
    for chunk in dataset.chunks ?? [] where chunk.count > 0 {
      ranges.append((chunk.offset, chunk.offset + chunk.count, path))
    }
  }

  /// - Throws: ``HDF5Error`` where two datasets, or two chunks, share bytes.
  func check(file: String) throws(HDF5Error) {
    var last = (end: 0, path: "")
    for range in ranges.sorted(by: { $0.start < $1.start }) {
      guard range.start >= last.end else {
        throw HDF5Error(file: file, path: range.path, fault: .overlaps(other: last.path, offset: range.start))
      }
      last = (range.end, range.path)
    }
  }

  private static func hasPlace(_ dataset: HDF5Index.Dataset) -> Bool {
    dataset.offset != nil || !(dataset.chunks ?? []).isEmpty
  }
}
