import Foundation

/// Files that the scripts in `Tests/Fixtures` made.
public enum Fixture {
  public static func path(_ name: String, file: String = #filePath) -> String {
    URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures").appending(path: name).path
  }
}

/// A fresh directory for one test, removed with ``remove()``.
public struct TemporaryDirectory: Sendable {
  public let path: String

  public init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "zoo-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  public func file(_ name: String) -> String { path + "/" + name }
  public func remove() { try? FileManager.default.removeItem(atPath: path) }
}
