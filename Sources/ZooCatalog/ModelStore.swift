import Foundation
import ZooCheckpoint

/// Where a user's data lives: `$XDG_DATA_HOME/zoo`, else `~/.local/share/zoo` (XDG Base Directory Specification).
enum DataFolder {
  static func path(environment: [String: String]) -> String {
    // The specification has relative paths ignored.
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/zoo" }
    return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/zoo"
  }
}

/// The folder of converted models that are found by name.
///
///     records/<model>/<weights>.json   what was pulled, and which blob it is
///     blobs/<SHA-256>.safetensors      checkpoints, each once however many records name it
///     <model>.safetensors              a checkpoint that somebody put there by hand
///     unfinished/<published file>/     downloads and conversions under way
public struct ModelStore: Sendable {
  /// `$ZOO_HOME`, else `models` in the user's data folder.
  public let folder: String

  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    folder =
      environment["ZOO_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? DataFolder.path(environment: environment) + "/models"
  }

  var recordsFolder: String { folder + "/records" }
  var blobsFolder: String { folder + "/blobs" }
  package var unfinishedFolder: String { folder + "/unfinished" }
  /// Held while records or blobs change.
  var lockPath: String { folder + "/.lock" }

  /// Where the checkpoint of a model such as `resnet50` or `resnet50:IMAGENET1K_V1` is; where none is there yet, where
  /// one would be put by hand.
  ///
  /// A name alone stands for the checkpoint put there by hand, else for the model's default weights, else for those
  /// pulled last.
  public func path(forModel name: String) -> String { existing(name) ?? handPath(ModelReference(name).model) }

  public func contains(_ name: String) -> Bool { existing(name) != nil }

  /// Of the models that are in the store, the one with the highest published accuracy.
  public func best(of catalog: Catalog) -> Model? {
    catalog.models.filter { contains($0.name) }.max {
      ($0.bestAccuracy ?? 0, $1.name) < ($1.bestAccuracy ?? 0, $0.name)
    }
  }

  private func existing(_ name: String) -> String? {
    let reference = ModelReference(name)
    guard reference.isPlain else { return nil }
    let byHand = handPath(reference.model)
    if reference.weights == nil, FileManager.default.fileExists(atPath: byHand) { return byHand }
    let found = records(of: reference.model).filter { reference.weights == nil || $0.weights == reference.weights }
    let best = found.first(where: \.isDefault) ?? found.max { $0.installed < $1.installed }
    return best.map(path(of:))
  }

  /// What was pulled of a model, sorted by the weights' id. A record whose blob is gone counts for nothing.
  public func records(of model: String) -> [StoreRecord] {
    guard ModelReference.isPlain(model) else { return [] }
    let folder = recordsFolder + "/" + model
    return Self.names(in: folder).filter { $0.hasSuffix(".json") }.compactMap { name in
      guard let data = FileManager.default.contents(atPath: folder + "/" + name),
        let record = try? JSONDecoder().decode(StoreRecord.self, from: data), record.model == model,
        ModelReference.isPlain(record.blob), FileManager.default.fileExists(atPath: path(of: record))
      else { return nil }
      return record
    }
  }

  public func record(of reference: ModelReference) -> StoreRecord? {
    records(of: reference.model).first { $0.weights == reference.weights }
  }

  /// Where a record's checkpoint is.
  public func path(of record: StoreRecord) -> String { "\(blobsFolder)/\(record.blob).safetensors" }

  func handPath(_ model: String) -> String { "\(folder)/\(model).safetensors" }

  /// Names of what is in a folder, hidden files left out, sorted; empty where there is none.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }
}
