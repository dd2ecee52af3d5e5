import Foundation
import Testing
import TestSupport
import ZooCheckpoint

@testable import ZooFormats

@Suite struct ShardTests {
  private func report(_ map: [String: String]) throws -> ErrorReport {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    for name in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
      try FileManager.default.copyItem(atPath: PyTorchFixture.path("shards/\(name)"), toPath: directory.file(name))
    }
    let index = directory.file("model.safetensors.index.json")
    try JSONEncoder().encode(["weight_map": map]).write(to: URL(filePath: index))
    return try reportOfOpening(index)
  }

  @Test(arguments: ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", ".hidden", "a\\b"])
  func shardOutsideTheDirectoryIsRefused(_ shard: String) throws {
    let report = try report(["a": shard])
    #expect(report.kind == .badData)
    #expect(report.problem.contains("is no plain file name"))
  }

  @Test func tensorInAnotherShardIsRefused() throws {
    let report = try report(["a": "model-00002-of-00002.safetensors", "b": "model-00001-of-00002.safetensors"])
    #expect(report.problem.contains("but the index has it in"))
  }

  @Test func missingTensorAndMissingShardAreNamed() throws {
    #expect(
      try report(["a": "model-00001-of-00002.safetensors", "c": "model-00001-of-00002.safetensors"]).place == "c")
    #expect(try report(["a": "model-00009-of-00002.safetensors"]).kind == .noInput)
  }

  @Test func indexOfItselfIsRefused() throws {
    let report = try report(["a": "model.safetensors.index.json"])
    #expect(report.problem == "is an index itself, expected weights")
  }

  @Test func emptyOrOtherJSONIsRefused() throws {
    #expect(try report([:]).problem == "its weight_map is empty")
    #expect(throws: ShardError.self) { _ = try open(Array("{\"layers\": []}".utf8)) }
  }
}
