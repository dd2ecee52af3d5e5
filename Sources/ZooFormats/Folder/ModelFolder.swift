import Foundation
import ZooCheckpoint

/// A folder as Hugging Face lays a model out: `config.json` beside weights in one file or in shards with an index.
///
/// Weights are chosen as transformers chooses them: `model.safetensors`, `model.safetensors.index.json`,
/// `pytorch_model.bin`, `pytorch_model.bin.index.json`. A folder with none of these may hold one weight file of any
/// other name.
struct ModelFolder {
  /// Where a checkpoint keeps the folder's `config.json`.
  static let configKey = "huggingface.config"
  fileprivate static let largestConfig = 1 << 20

  static let choices = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
  ]
  private static let extensions = [
    ".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pth", ".pt", ".ckpt", ".h5", ".keras",
    ".weights.json", ".onnx", ".npz", ".gguf", ".index",
  ]

  let path: String
  /// The file that says all of the model's weights: the weights themselves, or the index of their shards.
  let weights: String

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// - Throws: ``FolderError``.
  init(_ path: String) throws(FolderError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch {
      throw .unreadable(folder: path)
    }
    if names.contains("saved_model.pb") { throw .savedModel(folder: path) }
    if let chosen = Self.choices.first(where: names.contains) {
      weights = path + "/" + chosen
      return
    }
    let found = names.filter { name in
      !name.hasPrefix(".") && Self.extensions.contains(where: name.hasSuffix) && !Self.isFolder(path + "/" + name)
    }
    // Where shards have an index, it stands for them.
    let indexes = found.filter {
      $0.hasSuffix(".index.json") || $0.hasSuffix(".weights.json") || $0.hasSuffix(".index")
    }
    let candidates = indexes.isEmpty ? found : indexes
    guard let only = candidates.first else { throw .noWeights(folder: path) }
    guard candidates.count == 1 else { throw .severalWeights(folder: path, files: candidates) }
    weights = path + "/" + only
  }

  /// The model's weights, with `config.json` in their metadata.
  ///
  /// - Throws: what opening the weights throws.
  func open(options: ReadOptions) throws -> WeightFile {
    var result = try WeightFile.open(MappedFile(path: weights), options: options)
    result.path = path
    result.mainFile = weights
    try result.takeConfig(from: path)
    return result
  }
}

extension WeightFile {
  /// The text of the `config.json` that lay beside the weights.
  public var publisherConfig: String? { metadata[ModelFolder.configKey] }

  /// Puts a folder's `config.json` into the metadata, where there is one and the weights have none.
  mutating func takeConfig(from folder: String) throws {
    let config = folder + "/config.json"
    guard metadata[ModelFolder.configKey] == nil, FileManager.default.fileExists(atPath: config) else { return }
    let file = try MappedFile(path: config)
    let data = try file.withBytes(offset: 0, count: min(file.count, ModelFolder.largestConfig + 1)) { Data($0) }
    // Decoded as those decode it who ask for it: other readers take numbers beyond every type's.
    guard data.count <= ModelFolder.largestConfig,
      case .object? = try? JSONDecoder().decode(JSONValue.self, from: data),
      let text = String(data: data, encoding: .utf8)
    else {
      skipped.append(SkippedEntry(name: "config.json", reason: "is no JSON object of at most 1 MB"))
      return
    }
    metadata[ModelFolder.configKey] = text
  }
}

/// Why a folder is no model.
public enum FolderError: Error, Sendable, Equatable {
  case unreadable(folder: String)
  case noWeights(folder: String)
  case severalWeights(folder: String, files: [String])
  case savedModel(folder: String)
}

extension FolderError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .unreadable(let folder): ErrorReport(.noInput, file: folder, problem: "can't be listed")
    case .noWeights(let folder):
      ErrorReport(
        .noInput, file: folder, problem: "is a folder without weights",
        advice: "expected \(ModelFolder.choices.joined(separator: ", ")) or one other weight file in it")
    case .severalWeights(let folder, let files):
      ErrorReport(
        .noInput, file: folder,
        problem: "is a folder of \(files.count) weight files (\(files.prefix(4).joined(separator: ", ")))",
        advice: "name one of them")
    case .savedModel(let folder):
      ErrorReport(
        .badData, file: folder, problem: "is a TensorFlow SavedModel, which this version doesn't read",
        advice: "save its weights with TensorFlow: tf_keras.models.load_model(folder).save_weights('x.h5'); "
          + "variables/variables.index has the bare variables")
    }
  }
}
