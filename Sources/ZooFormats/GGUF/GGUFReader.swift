import CKernels
import Foundation
import OrderedCollections
import ZooCheckpoint

/// Reads GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 1 to 3.
///
/// Plain tensors are views of the mapped file; block-quantised ones become float32 when they are read.
enum GGUFReader {
  private struct Info {
    let name: String
    let shape: [Int]
    let type: UInt32
    let offset: UInt64
    /// Of the description, for messages.
    let place: Int
  }

  /// - Throws: ``GGUFError``, `FileError`, `TensorError`.
  static func read(_ file: MappedFile, options: ReadOptions) throws -> WeightFile {
    var result = WeightFile(path: file.path, format: .gguf, stateDict: StateDict())
    let (infos, strings, dataOffset) = try file.withBytes(offset: 0, count: file.count) { bytes in
      try header(GGUFCursor(bytes, file: file.path), into: &result)
    }
    let carried = carriedStrings(strings)
    let names = carried?.names ?? [:]
    let types = WeightFile.carriedTypes(carried?.strings ?? [:])
    var unread: [String: [String]] = [:]
    for (info, range) in try zip(infos, ranges(infos, dataOffset: dataOffset, file: file)) {
      let name = names[info.name] ?? info.name
      guard let range else {
        if case .unsupported(let type) = GGUFType(info.type) { unread[type, default: []].append(name) }
        continue
      }
      let storage = try MappedStorage(file: file, offset: dataOffset + range.lowerBound, count: range.count)
      result.stateDict[name] = try tensor(info, storage: storage, as: types[name])
    }
    if !unread.isEmpty {
      guard options.salvage else {
        throw GGUFError(file: file.path, name: nil, offset: dataOffset, fault: .quantisations(unread))
      }
      for (type, names) in unread {
        result.skipped += names.map { SkippedEntry(name: $0, reason: "is quantised as \(type)") }
      }
    }
    guard result.stateDict.count > 0 else {
      throw GGUFError(file: file.path, name: nil, offset: 0, fault: .noTensors)
    }
    if let carried {
      try result.takeCarriedMetadata(carried.strings)
    } else {
      for (key, value) in strings { result.metadata["gguf." + key] = value }
    }
    return result
  }

  private static func header(
    _ cursor: GGUFCursor, into result: inout WeightFile
  ) throws(GGUFError) -> (infos: [Info], strings: [String: String], dataOffset: Int) {
    var cursor = cursor
    _ = try cursor.number(UInt32.self)
    let version = try cursor.number(UInt32.self)
    guard version & 0xFFFF != 0 else { throw cursor.fail(.bigEndian, at: 4) }
    guard (1...3).contains(version) else { throw cursor.fail(.version(version), at: 4) }
    cursor.hasSmallCounts = version == 1
    let width = version == 1 ? 4 : 8
    let tensors = try cursor.count(of: "tensors", size: width + 16)
    let pairs = try cursor.count(of: "metadata entries", size: width + 5)
    var strings: [String: String] = [:]
    var keys: Set<String> = []
    for _ in 0..<pairs {
      let place = cursor.position
      let key = try cursor.string()
      cursor.subject = key
      guard keys.insert(key).inserted else { throw cursor.fail(.duplicate(key), at: place) }
      if let value = try cursor.value(type: cursor.number(UInt32.self)) {
        strings[key] = value
      } else {
        result.skipped.append(SkippedEntry(name: key, reason: "is a long list, not a weight"))
      }
      cursor.subject = nil
    }
    var infos: [Info] = []
    var names: Set<String> = []
    for _ in 0..<tensors {
      let info = try tensorInfo(&cursor)
      guard names.insert(info.name).inserted else { throw cursor.fail(.duplicate(info.name), at: info.place) }
      infos.append(info)
    }
    let alignment = try alignment(strings["general.alignment"], cursor)
    strings["general.alignment"] = nil
    let dataOffset = (cursor.position + alignment - 1) / alignment * alignment
    for info in infos where info.offset % UInt64(alignment) != 0 {
      cursor.subject = info.name
      throw cursor.fail(.misaligned(offset: info.offset, alignment: alignment), at: info.place)
    }
    return (infos, strings, dataOffset)
  }

  private static func alignment(_ text: String?, _ cursor: GGUFCursor) throws(GGUFError) -> Int {
    guard let text else { return 32 }
    guard let value = Int(text), (8...65536).contains(value), value & (value - 1) == 0 else {
      throw cursor.fail(.alignment(UInt64(text) ?? 0))
    }
    return value
  }

  private static func tensorInfo(_ cursor: inout GGUFCursor) throws(GGUFError) -> Info {
    let place = cursor.position
    let name = try cursor.string()
    cursor.subject = name
    let rank = try cursor.number(UInt32.self)
    guard rank <= 4 else { throw cursor.fail(.dimensions(rank), at: place) }
    var shape: [Int] = []
    for _ in 0..<rank {
      let size = try cursor.count()
      guard size <= UInt64(Int.max / 8) else { throw cursor.fail(.tooLarge, at: place) }
      shape.insert(Int(size), at: 0)
    }
    let type = try cursor.number(UInt32.self)
    let offset = try cursor.number(UInt64.self)
    cursor.subject = nil
    return Info(name: name, shape: shape, type: type, offset: offset, place: place)
  }

  /// Where each tensor's bytes are in the data section; nil for types whose size isn't known.
  private static func ranges(_ infos: [Info], dataOffset: Int, file: MappedFile) throws(GGUFError) -> [Range<Int>?] {
    let size = max(file.count - dataOffset, 0)
    var ranges: [Range<Int>?] = []
    for info in infos {
      func fail(_ fault: GGUFError.Fault) -> GGUFError {
        GGUFError(file: file.path, name: info.name, offset: info.place, fault: fault)
      }
      var elements = 1
      for side in info.shape {
        let (product, overflowed) = elements.multipliedReportingOverflow(by: side)
        guard !overflowed, product <= Int.max / 256 else { throw fail(.tooLarge) }
        elements = product
      }
      let count: Int
      switch GGUFType(info.type) {
      case .elements(let dtype): count = elements * dtype.size
      case .quantised(let block, let bytes):
        let row = info.shape.last ?? 1
        guard row % block == 0 else { throw fail(.blockSize(row: row, block: block)) }
        count = elements / block * bytes
      case .unsupported:
        ranges.append(nil)
        continue
      }
      guard count <= size, info.offset <= UInt64(size - count) else {
        throw fail(.outside(offset: info.offset, count: count, size: size))
      }
      ranges.append(Int(info.offset)..<(Int(info.offset) + count))
    }
    let sorted = zip(infos, ranges).compactMap { info, range in range.map { (info, $0) } }
      .filter { !$0.1.isEmpty }.sorted { $0.1.lowerBound < $1.1.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst()) where first.1.upperBound > second.1.lowerBound {
      throw GGUFError(
        file: file.path, name: second.0.name, offset: second.0.place, fault: .overlap(with: first.0.name))
    }
    return ranges
  }

  private static func tensor(_ info: Info, storage: MappedStorage, as carried: DType?) throws -> Tensor {
    switch GGUFType(info.type) {
    case .elements(let dtype):
      let dtype = carried.flatMap { $0.size == dtype.size ? $0 : nil } ?? dtype
      return try Tensor(dtype: dtype, shape: info.shape, storage: storage)
    case .quantised(let elements, let bytes):
      let blocks = DequantisedStorage(storage, type: info.type, elements: elements, bytes: bytes)
      return try Tensor(dtype: .float32, shape: info.shape, storage: blocks)
    case .unsupported: throw TensorError.tooLarge(shape: info.shape)
    }
  }

  /// What an export put into the metadata: a canonical checkpoint's strings, and full names by those that had to be
  /// shorter.
  private static func carriedStrings(_ all: [String: String]) -> (strings: [String: String], names: [String: String])? {
    guard all["zoo.format"] != nil else { return nil }
    func dictionary(_ key: String) -> [String: String] {
      all[key].flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) } ?? [:]
    }
    var strings = all.filter { $0.key.hasPrefix("zoo.") }
    strings[WeightFile.namesKey] = nil
    strings[WeightFile.othersKey] = nil
    return (strings.merging(dictionary(WeightFile.othersKey)) { first, _ in first }, dictionary(WeightFile.namesKey))
  }
}

/// The float32 values of block-quantised elements, made each time they are read.
private final class DequantisedStorage: ByteStorage {
  private let blocks: MappedStorage
  private let type: UInt32
  private let bytesPerBlock: Int
  let count: Int

  init(_ blocks: MappedStorage, type: UInt32, elements: Int, bytes: Int) {
    self.blocks = blocks
    self.type = type
    bytesPerBlock = bytes
    count = blocks.count / bytes * elements * 4
  }

  var fileRange: (file: MappedFile, offset: Int)? { nil }

  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try withUnsafeTemporaryAllocation(byteCount: max(count, 1), alignment: 64) { buffer in
      try blocks.withBytes { source in
        if let from = source.baseAddress, let to = buffer.baseAddress, count > 0 {
          _ = zoo_dequantize(
            to.assumingMemoryBound(to: Float.self), from, Int64(source.count / bytesPerBlock), type)
        }
      }
      return try body(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
    }
  }
}
