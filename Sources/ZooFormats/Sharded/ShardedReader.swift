import Foundation
import OrderedCollections
import ZooCheckpoint

/// Reads a checkpoint split into shards by its index, `*.safetensors.index.json`, `pytorch_model.bin.index.json` or
/// Keras's `*.weights.json`.
///
/// Shards stand beside the index; a name or link that leads elsewhere is refused.
enum ShardedReader {
  private struct Index: Decodable {
    var weight_map: [String: Shards]
  }

  /// One shard, or a list of them as Keras writes it.
  private struct Shards: Decodable {
    let names: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      names = try (try? container.decode(String.self)).map { [$0] } ?? container.decode([String].self)
    }
  }

  private static let largestIndex = 64 << 20

  /// - Throws: ``ShardError``, and what reading a shard throws.
  static func read(_ file: MappedFile, options: ReadOptions) throws -> WeightFile {
    guard options.allowsIndex else { throw ShardError.notAShard(file: file.path, shard: file.path) }
    let lists = try weightMap(file)
    let shards = Set(lists.values.flatMap { $0 }).sorted()
    for shard in shards where !isPlain(shard) { throw ShardError.unsafeShardName(file: file.path, shard: shard) }
    if !shards.isEmpty, shards.allSatisfy({ $0.hasSuffix(".weights.h5") }) {
      return try KerasShards.read(file, shards: shards)
    }
    let map = try lists.mapValues { names in
      guard names.count == 1, let only = names.first else {
        throw ShardError.notAnIndex(file: file.path, problem: "a tensor is in \(names.count) shards, expected one")
      }
      return only
    }

    var result = WeightFile(path: file.path, format: .shardIndex, stateDict: StateDict())
    let folder = ShardFolder(index: file.path)
    for shard in shards {
      let part = try WeightFile.open(
        folder.file(shard), options: ReadOptions(salvage: options.salvage, unwraps: false, allowsIndex: false))
      try merge(part, shard: shard, map: map, index: file.path, into: &result)
    }
    for (tensor, shard) in map where result.stateDict[tensor] == nil {
      guard options.salvage else { throw ShardError.missingTensor(file: file.path, shard: shard, tensor: tensor) }
      result.skipped.append(SkippedEntry(name: tensor, reason: "is not in \(shard)"))
    }
    return result
  }

  /// The names of an index's shards, those left out that are no plain file names.
  ///
  /// - Throws: ``ShardError``.
  static func shards(of file: MappedFile) throws -> [String] {
    Set(try weightMap(file).values.flatMap { $0 }).sorted().filter(isPlain)
  }

  private static func merge(
    _ part: WeightFile, shard: String, map: [String: String], index: String, into result: inout WeightFile
  ) throws {
    for (name, tensor) in part.stateDict.tensors {
      guard let expected = map[name] else {
        result.skipped.append(SkippedEntry(name: name, reason: "is in \(shard), but not in the index"))
        continue
      }
      guard expected == shard else {
        throw ShardError.misplacedTensor(file: index, shard: shard, tensor: name, expected: expected)
      }
      result.stateDict[name] = tensor
    }
    result.stateDict.versions.merge(part.stateDict.versions) { first, _ in first }
    result.metadata.merge(part.metadata) { first, _ in first }
    result.skipped += part.skipped
    result.globals += part.globals
    result.records += part.records
  }

  private static func weightMap(_ file: MappedFile) throws -> [String: [String]] {
    guard file.count <= largestIndex else {
      throw ShardError.notAnIndex(file: file.path, problem: "is a text of \(file.count) bytes, too large for an index")
    }
    let data = try file.withBytes(offset: 0, count: file.count) { Data($0) }
    // A zero is a sign of UTF-16, which Foundation reads too and nobody writes.
    guard !data.contains(0), let index = try? JSONDecoder().decode(Index.self, from: data) else {
      throw ShardError.notAnIndex(file: file.path, problem: "is no JSON object with a weight_map of names to shards")
    }
    if let name = RepeatedName.first(in: data) { throw ShardError.repeatedName(file: file.path, name: name) }
    guard !index.weight_map.isEmpty else {
      throw ShardError.notAnIndex(file: file.path, problem: "its weight_map is empty")
    }
    return index.weight_map.mapValues(\.names)
  }

  /// A file name and nothing more.
  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".")
      && !name.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
  }
}
