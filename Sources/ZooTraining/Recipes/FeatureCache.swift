import Foundation
import OrderedCollections
import ZooCheckpoint

/// Features of pictures on disk, so that a second run over the same pictures skips the frozen part.
///
/// One safetensors file for each (weights, preprocessing, cut), a tensor a picture named by the picture's digest. It is
/// a cache: whatever can't be read or written is computed again, and nothing fails.
struct FeatureCache: Sendable {
  /// More than this is not kept.
  static let limit = 2 << 30
  let path: String

  /// - Parameter key: everything that decides the features besides the picture.
  init(folder: String, key: [String]) {
    path = folder + "/" + Digest.sha256(of: key.joined(separator: "\n")) + ".safetensors"
  }

  /// `$XDG_CACHE_HOME/zoo/features`, by default in `~/.cache`.
  static func folder(environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.cache") + "/zoo/features"
  }

  /// Features by picture digest, those of `shape` only.
  func load(shape: [Int]) -> [String: FloatTensor] {
    guard let file = try? MappedFile(path: path), let content = try? SafetensorsReader.read(file) else { return [:] }
    var features: [String: FloatTensor] = [:]
    for (digest, tensor) in content.stateDict.tensors where tensor.shape == shape && tensor.dtype == .float32 {
      features[digest] = try? FloatTensor(tensor)
    }
    return features
  }

  func store(_ features: [String: FloatTensor]) {
    let bytes = features.values.reduce(0) { $0 + $1.count * 4 }
    guard bytes <= Self.limit else { return }
    try? FileManager.default.createDirectory(
      at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    var stateDict = StateDict()
    for digest in features.keys.sorted() {
      guard let tensor = features[digest], let values = try? tensor.values() else { continue }
      stateDict[digest] = try? Tensor(dtype: .float32, shape: tensor.shape, storage: MemoryStorage(copying: values))
    }
    _ = try? CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: path, overwrite: true)
  }
}
