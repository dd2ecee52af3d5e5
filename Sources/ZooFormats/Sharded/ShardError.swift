/// How an index of shards contradicts its shards.
public enum ShardError: Error, Sendable, Equatable {
  case notAnIndex(file: String, problem: String)
  /// One of its objects has a name twice, of which one reader takes the first and another the last.
  case repeatedName(file: String, name: String)
  case unsafeShardName(file: String, shard: String)
  /// The shard is a link to a file of another folder.
  case linkLeaves(file: String, shard: String)
  case missingTensor(file: String, shard: String, tensor: String)
  case misplacedTensor(file: String, shard: String, tensor: String, expected: String)
  case notAShard(file: String, shard: String)
}
