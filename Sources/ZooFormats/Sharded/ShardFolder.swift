import Foundation
import ZooCheckpoint

/// Where the shards of an index may stand: beside it, and nowhere else.
///
/// Download caches keep the files in one folder under their digests and link to them from another, the index like its
/// shards. So a shard may be a link into the folder where the index itself really stands; any other link is refused.
struct ShardFolder {
  private let index: String
  private let folder: String

  init(index: String) {
    self.index = index
    let parent = (index as NSString).deletingLastPathComponent
    folder = parent.isEmpty ? "." : parent
  }

  /// Opens a shard by its plain name.
  ///
  /// - Throws: ``ShardError/linkLeaves(file:shard:)``, ``FileError``.
  func file(_ shard: String) throws -> MappedFile {
    let path = folder == "." ? shard : folder + "/" + shard
    guard (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil else {
      return try MappedFile(inside: folder, components: [shard])
    }
    guard let target = Self.resolved(path) else { throw FileError.notFound(file: path) }
    let parent = (target as NSString).deletingLastPathComponent
    let home = Self.resolved(index).map { ($0 as NSString).deletingLastPathComponent }
    guard parent == Self.resolved(folder) || parent == home else {
      throw ShardError.linkLeaves(file: index, shard: shard)
    }
    return try MappedFile(inside: parent, components: [(target as NSString).lastPathComponent])
  }

  private static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
