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

  /// An index in `folder/model` whose shard is made by `place`, given both folders.
  private func linked(_ place: (_ folder: String, _ model: String) throws -> Void) throws -> WeightFile {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let model = directory.file("model")
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
    try JSONEncoder().encode(["weight_map": ["a": "s.safetensors"]])
      .write(to: URL(filePath: model + "/model.safetensors.index.json"))
    try place(directory.path, model)
    return try WeightFile.open(path: model + "/model.safetensors.index.json")
  }

  private static let shard = PyTorchFixture.path("shards/model-00001-of-00002.safetensors")

  @Test func shardThatLinksOutOfItsFolderIsRefused() throws {
    for target in ["../private.safetensors", Self.shard, "/dev/zero", "/etc/passwd"] {
      let error = try #require(throws: ShardError.self) {
        _ = try linked { folder, model in
          try FileManager.default.copyItem(atPath: Self.shard, toPath: folder + "/private.safetensors")
          try FileManager.default.createSymbolicLink(
            atPath: model + "/s.safetensors", withDestinationPath: target)
        }
      }
      guard case .linkLeaves(_, "s.safetensors") = error else { throw error }
      #expect(error.report.kind == .badData)
    }
  }

  @Test func linksOfADownloadCacheAreFollowed() throws {
    let file = try linked { folder, model in
      let (blobs, index) = (folder + "/blobs", model + "/model.safetensors.index.json")
      try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Self.shard, toPath: blobs + "/0123abcd")
      try FileManager.default.moveItem(atPath: index, toPath: blobs + "/4567")
      try FileManager.default.createSymbolicLink(atPath: index, withDestinationPath: "../blobs/4567")
      try FileManager.default.createSymbolicLink(
        atPath: model + "/s.safetensors", withDestinationPath: "../blobs/0123abcd")
    }
    #expect(file.stateDict.names == ["a"])
  }

  @Test func pipeHardLinkAndLoopOfLinksAreRefusedWithoutWaiting() throws {
    #expect(throws: FileError.self) { _ = try linked { _, model in mkfifo(model + "/s.safetensors", 0o600) } }
    #expect(throws: FileError.self) {
      _ = try linked { folder, model in
        try FileManager.default.copyItem(atPath: Self.shard, toPath: folder + "/other")
        try FileManager.default.linkItem(atPath: folder + "/other", toPath: model + "/s.safetensors")
      }
    }
    #expect(throws: FileError.self) {
      _ = try linked { _, model in
        try FileManager.default.createSymbolicLink(
          atPath: model + "/s.safetensors", withDestinationPath: "s.safetensors")
      }
    }
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

  @Test(arguments: [
    (#"{"weight_map": {"a": "1.safetensors", "b": "1.safetensors", "a": "2.safetensors"}}"#, "a"),
    (#"{"weight_map": {"a": "1.safetensors"}, "metadata": {}, "weight_map": {"b": "1.safetensors"}}"#, "weight_map"),
    (#"{"weight_map": {"layer\"s": "1.safetensors", "l\u0061yer\u0022s": "2.safetensors"}}"#, "layer\"s"),
    (#"{"metadata": [{"n": 1}, {"n": {"m": "}", "m": 2}}], "weight_map": {"a": "1.safetensors"}}"#, "m"),
  ])
  func nameThatStandsTwiceIsRefused(_ text: String, name: String) throws {
    let error = try #require(throws: ShardError.self) { _ = try open(Array(text.utf8)) }
    guard case .repeatedName(_, name) = error else { throw error }
    #expect(error.report.kind == .badData)
    #expect(error.report.place == name)
  }

  @Test func namesOfDifferentObjectsMayBeTheSame() throws {
    let text = #"{"metadata": {"a": {"a": ["a", "a"]}}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}"#
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try FileManager.default.copyItem(
      atPath: Self.shard, toPath: directory.file("model-00001-of-00002.safetensors"))
    let index = directory.file("model.safetensors.index.json")
    try Data(text.utf8).write(to: URL(filePath: index))
    #expect(try WeightFile.open(path: index).stateDict.names == ["a"])
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
