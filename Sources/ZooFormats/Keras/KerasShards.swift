import ZooCheckpoint

/// Keras 3 weights split over several HDF5 files, `x_00000.weights.h5` and so on beside `x.weights.json`.
enum KerasShards {
  /// - Parameter shards: plain names of the files.
  /// - Throws: ``ShardError``, ``HDF5Error``, ``WorkerError``, `FileError`.
  static func read(_ file: MappedFile, shards: [String]) throws -> WeightFile {
    let folder = ShardFolder(index: file.path)
    var objects: [HDF5Index.Object] = []
    var places: [String: Int] = [:]
    var owners: [String: String] = [:]
    var (tensors, skipped): ([String: Tensor], [SkippedEntry]) = ([:], [])
    for shard in shards {
      let part = try folder.file(shard)
      let contents = try HDF5Reader.contents(of: part, offset: 0, count: part.count)
      // Each file repeats the groups; the names are where the variables are.
      for object in contents.objects {
        if let place = places[object.path] {
          if objects[place].attributes.isEmpty { objects[place] = object }
        } else {
          places[object.path] = objects.count
          objects.append(object)
        }
      }
      for (path, tensor) in contents.tensors {
        if let owner = owners.updateValue(shard, forKey: path) {
          throw ShardError.misplacedTensor(file: file.path, shard: shard, tensor: path, expected: owner)
        }
        tensors[path] = tensor
      }
      skipped += contents.skipped
    }
    let contents = HDF5Contents(objects: objects, tensors: tensors, skipped: skipped)
    return try KerasLayout.weightFile(contents, file: file, format: .shardIndex)
  }
}
