import Foundation

/// Where a user's data lives: `$XDG_DATA_HOME/zoo`, else `~/.local/share/zoo` (XDG Base Directory Specification).
enum DataFolder {
  static func path(environment: [String: String]) -> String {
    // The specification has relative paths ignored.
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/zoo" }
    return (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/zoo"
  }
}

/// The folder of converted models that are found by name.
public struct ModelStore: Sendable {
  /// `$ZOO_HOME`, else `models` in the user's data folder.
  public let folder: String

  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    folder =
      environment["ZOO_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? DataFolder.path(environment: environment) + "/models"
  }

  /// Where the checkpoint of a catalogue model is kept.
  public func path(forModel name: String) -> String { "\(folder)/\(name).safetensors" }

  /// Of the models that are in the store, the one with the highest published accuracy.
  public func best(of catalog: Catalog) -> Model? {
    catalog.models.filter { contains($0.name) }.max {
      ($0.bestAccuracy ?? 0, $1.name) < ($1.bestAccuracy ?? 0, $0.name)
    }
  }

  public func contains(_ name: String) -> Bool {
    !name.contains("/") && FileManager.default.fileExists(atPath: path(forModel: name))
  }
}
