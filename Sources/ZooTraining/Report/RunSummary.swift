import Foundation
import ZooCheckpoint

/// What a run's folder says of it, for laying runs side by side.
public struct RunSummary: Sendable, Encodable {
  public let folder: String
  /// The recipe's fields as this or another version wrote them.
  public let settings: [String: String]
  public let records: [EpochRecord]
  public let bestEpoch: Int
  /// Validation pictures or texts.
  public let validationExamples: Int
  public let parent: String

  public var best: EpochRecord? { records.first { $0.epoch == bestEpoch } }
  /// Of the best epoch, with its interval; nil where the run is judged by another metric.
  public var accuracy: Proportion? {
    guard let best, best.metric == .accuracy else { return nil }
    return Proportion(Int((best.validationScore * Double(validationExamples)).rounded()), of: validationExamples)
  }

  public var recipe: String { settings["kind"] ?? "–" }

  /// - Throws: ``TrainingError/noRun(folder:)``, ``TrainingError/otherVersion(file:)``, `FileError`.
  public init(folder: String) throws {
    let run = RunFolder(path: folder)
    guard FileManager.default.fileExists(atPath: run.result) else { throw TrainingError.noRun(folder: folder) }
    let text = try Checkpoint.open(path: run.result).metadata.training ?? ""
    guard let training = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
      let recipe = training["recipe"] as? [String: Any], let bestEpoch = training["bestEpoch"] as? Int
    else { throw TrainingError.otherVersion(file: run.result) }
    self.folder = folder
    settings = Self.flat(recipe)
    self.bestEpoch = bestEpoch
    parent = (training["parent"] as? [String: Any])?["model"] as? String ?? "–"
    // Earlier versions counted pictures alone.
    validationExamples = (training["validationExamples"] ?? training["validationPictures"]) as? Int ?? 0
    let lines = (try? String(contentsOfFile: run.log, encoding: .utf8)) ?? ""
    records = lines.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(EpochRecord.self, from: Data($0.utf8))
    }
  }

  /// Fields of fields get names such as `lowRank.rank`.
  private static func flat(_ fields: [String: Any]) -> [String: String] {
    fields.reduce(into: [:]) { flat, field in
      guard let inner = field.value as? [String: Any] else {
        flat[field.key] = "\(field.value)"
        return
      }
      for (name, value) in Self.flat(inner) { flat["\(field.key).\(name)"] = value }
    }
  }

  /// Settings in which recipes differ, by their JSON names, with each run's value.
  public static func differences(_ runs: [RunSummary]) -> [(setting: String, values: [String])] {
    let names = Set(runs.flatMap(\.settings.keys)).sorted()
    return names.compactMap { name in
      let values = runs.map { $0.settings[name] ?? "–" }
      return Set(values).count > 1 ? (name, values) : nil
    }
  }
}
