import ZooCheckpoint

extension ShardError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .notAnIndex(let file, let problem):
      ErrorReport(.badData, file: file, problem: problem, advice: "expected an index of shards with a weight_map")
    case .repeatedName(let file, let name):
      ErrorReport(
        .badData, file: file, place: name,
        problem: "stands twice in the index, where readers differ in which they take",
        advice: "don't trust the file's source")
    case .unsafeShardName(let file, let shard):
      ErrorReport(
        .badData, file: file, place: "weight_map",
        problem: "shard '\(shard)' is no plain file name", advice: "don't trust the file's source")
    case .linkLeaves(let file, let shard):
      ErrorReport(
        .badData, file: file, place: shard, problem: "is a link that leaves the folder of its index",
        advice: "copy the shard there if you trust its source")
    case .missingTensor(let file, let shard, let tensor):
      ErrorReport(
        .badData, file: file, place: tensor, problem: "is not in \(shard), where the index has it",
        advice: "download index and shards of the same version")
    case .misplacedTensor(let file, let shard, let tensor, let expected):
      ErrorReport(
        .badData, file: file, place: tensor, problem: "is in \(shard), but the index has it in \(expected)",
        advice: "download index and shards of the same version")
    case .notAShard(let file, let shard):
      ErrorReport(
        .badData, file: file, place: shard, problem: "is an index itself, expected weights",
        advice: "don't trust the file's source")
    }
  }
}
