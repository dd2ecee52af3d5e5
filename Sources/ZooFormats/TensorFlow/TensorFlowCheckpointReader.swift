import Foundation
import ZooCheckpoint

/// Reads a TensorFlow checkpoint: `x.index`, a sorted table of entries, and `x.data-00000-of-00001` with the bytes.
///
/// Layout: tensorflow/core/protobuf/tensor_bundle.proto. Text, objects and tensors saved in slices are left out.
enum TensorFlowCheckpointReader {
  private static let valueSuffix = "/.ATTRIBUTES/VARIABLE_VALUE"
  /// Ends of names that optimizers give their own variables.
  private static let optimizers = [
    "_slot_v", "_slot_vr", "_slot_vc", "_slot_m", "/adam_m", "/adam_v", "/Adam", "/Adam_1", "/Momentum", "/RMSProp",
    "/RMSProp_1",
  ]

  /// A `BundleEntryProto`.
  private struct Entry {
    var type = 0
    var shape: [Int]? = []
    var shard = 0
    var offset = 0
    var size = 0
    var checksum: UInt32 = 0
    var isSliced = false
  }

  /// - Throws: ``TensorFlowError``, ``ShardError``, `FileError`.
  static func read(_ file: MappedFile) throws -> WeightFile {
    var result = WeightFile(path: file.path, format: .tensorFlowCheckpoint, stateDict: StateDict())
    let (shardCount, entries) = try file.withBytes(offset: 0, count: file.count) { bytes in
      try self.entries(SortedTable(bytes, file: file.path), file: file.path)
    }
    let stem = file.path.hasSuffix(".index") ? String(file.path.dropLast(".index".count)) : file.path
    let folder = ShardFolder(index: file.path)
    var shards: [Int: MappedFile] = [:]
    for (name, entry) in entries {
      guard let dtype = types[entry.type], !entry.isSliced, let shape = entry.shape else {
        let reason = entry.isSliced ? "is saved in slices" : "is no tensor of numbers"
        result.skipped.append(SkippedEntry(name: name, reason: reason))
        continue
      }
      if name.contains("/.OPTIMIZER_SLOT/") || optimizers.contains(where: name.hasSuffix) {
        result.skipped.append(SkippedEntry(name: name, reason: "is the optimizer's"))
        continue
      }
      let number = String(format: ".data-%05d-of-%05d", entry.shard, shardCount)
      let shard =
        try shards[entry.shard] ?? folder.file((stem as NSString).lastPathComponent + number)
      shards[entry.shard] = shard
      let own = name.hasSuffix(valueSuffix) ? String(name.dropLast(valueSuffix.count)) : name
      let storage = try storage(entry, name: name, dtype: dtype, shape: shape, shard: shard, file: file.path)
      result.stateDict[own] = try Tensor(dtype: dtype, shape: shape, storage: storage)
      result.records.append(
        TensorFlowRecord(storage: storage, name: name, file: file.path, checksum: entry.checksum))
    }
    guard result.stateDict.count > 0 else { throw TensorFlowError.noTensors(file: file.path) }
    return result
  }

  private static func storage(
    _ entry: Entry, name: String, dtype: DType, shape: [Int], shard: MappedFile, file: String
  ) throws -> MappedStorage {
    var needed = dtype.size
    for size in shape {
      let (product, overflowed) = needed.multipliedReportingOverflow(by: size)
      guard !overflowed, product <= Int.max / 8 else { throw TensorError.tooLarge(shape: shape) }
      needed = product
    }
    guard needed == entry.size else {
      throw TensorFlowError.size(file: file, tensor: name, needed: needed, found: entry.size)
    }
    guard entry.offset <= shard.count, entry.size <= shard.count - entry.offset else {
      throw TensorFlowError.outside(
        file: file, tensor: name, shard: URL(filePath: shard.path).lastPathComponent, offset: entry.offset,
        count: entry.size, size: shard.count)
    }
    return try MappedStorage(file: shard, offset: entry.offset, count: entry.size)
  }

  /// The entries by name, and the number of data files that the header under the empty name gives.
  private static func entries(
    _ table: SortedTable, file: String
  ) throws(TensorFlowError) -> (shards: Int, entries: [(name: String, entry: Entry)]) {
    var shards = 0
    var entries: [(name: String, entry: Entry)] = []
    var names: Set<String> = []
    for (name, value) in table.entries {
      guard names.insert(name).inserted else {
        throw .malformedEntry(file: file, tensor: name, problem: "stands twice")
      }
      if name.isEmpty {
        var fields = ProtobufFields(value)
        while let (number, value) = fields.next() {
          if number == 1, case .varint(let count) = value { shards = Int(clamping: count) }
          if number == 2, case .varint(let order) = value, order != 0 { throw .bigEndian(file: file) }
        }
      } else {
        entries.append((name, try entry(value, name: name, file: file)))
      }
    }
    guard (1...99999).contains(shards) else { throw .noShards(file: file, count: shards) }
    return (shards, entries)
  }

  private static func entry(
    _ bytes: UnsafeRawBufferPointer, name: String, file: String
  ) throws(TensorFlowError) -> Entry {
    var entry = Entry()
    var fields = ProtobufFields(bytes)
    func number(_ value: UInt64) throws(TensorFlowError) -> Int {
      guard let number = Int(exactly: value) else {
        throw .malformedEntry(file: file, tensor: name, problem: "a number above 2^63")
      }
      return number
    }
    while let (field, value) = fields.next() {
      switch (field, value) {
      case (1, .varint(let value)): entry.type = try number(value)
      case (2, .bytes(let shape)): entry.shape = Self.shape(shape)
      case (3, .varint(let value)): entry.shard = try number(value)
      case (4, .varint(let value)): entry.offset = try number(value)
      case (5, .varint(let value)): entry.size = try number(value)
      case (6, .fixed32(let value)): entry.checksum = value
      case (7, _): entry.isSliced = true
      default: break
      }
    }
    guard fields.isWhole else { throw .malformedEntry(file: file, tensor: name, problem: "its entry is damaged") }
    guard entry.shard <= 99999 else {
      throw .malformedEntry(file: file, tensor: name, problem: "is in data file \(entry.shard)")
    }
    return entry
  }

  /// A `TensorShapeProto`; nil where a size is unknown.
  private static func shape(_ bytes: UnsafeRawBufferPointer) -> [Int]? {
    var sizes: [Int] = []
    var fields = ProtobufFields(bytes)
    while let (number, value) = fields.next() {
      guard number == 2, case .bytes(let dimension) = value, sizes.count < 64 else { return nil }
      var size = 0
      var inner = ProtobufFields(dimension)
      while let (number, value) = inner.next() {
        if number == 1, case .varint(let value) = value {
          guard let exact = Int(exactly: value) else { return nil }
          size = exact
        }
      }
      guard inner.isWhole else { return nil }
      sizes.append(size)
    }
    return fields.isWhole ? sizes : nil
  }

  /// tensorflow/core/framework/types.proto.
  private static let types: [Int: DType] = [
    1: .float32, 2: .float64, 3: .int32, 4: .uint8, 5: .int16, 6: .int8, 9: .int64, 10: .bool, 14: .bfloat16,
    17: .uint16, 19: .float16, 22: .uint32, 23: .uint64, 24: .float8E5M2, 25: .float8E4M3,
  ]
}

/// A tensor's bytes with the checksum that the index has of them.
private struct TensorFlowRecord: CheckedRecord {
  let storage: MappedStorage
  let name: String
  let file: String
  let checksum: UInt32

  func check() throws {
    var found = CRC32C()
    let piece = 8 << 20
    for start in stride(from: 0, to: storage.count, by: piece) {
      let (offset, count) = (storage.offset + start, min(piece, storage.count - start))
      try storage.file.withBytes(offset: offset, count: count) { found.update($0) }
      storage.file.release(offset: offset, count: count)
    }
    guard found.masked == checksum else {
      throw TensorFlowError.checksum(file: file, tensor: name, found: found.masked, expected: checksum)
    }
  }
}
