import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooFormats

/// Folders as Hugging Face lays models out.
@Suite struct ModelFolderTests {
  private func with(_ body: (TemporaryDirectory) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try body(directory)
  }

  /// Writes a checkpoint whose only value tells the files apart.
  private func write(_ value: Float, to path: String) throws {
    var stateDict = StateDict()
    stateDict["w"] = try Tensor(dtype: .float32, shape: [1], storage: MemoryStorage(copying: [value]))
    try CheckpointWriter.write(stateDict, metadata: .init(), to: path)
  }

  private func value(_ path: String) throws -> Float? { try WeightFile.open(path: path).stateDict["w"]?.floats().first }

  private func copy(_ fixture: String, to path: String) throws {
    try FileManager.default.copyItem(atPath: Fixture.path(fixture), toPath: path)
  }

  @Test func weightsAreChosenAsTransformersChooses() throws {
    try with { directory in
      try write(4, to: directory.file("other.safetensors"))
      #expect(try value(directory.path) == 4)
      for name in ["index.json", "safetensors.index.json"] {
        let index = #"{"weight_map": {"w": "shard.safetensors"}}"#
        try write(name.hasPrefix("s") ? 2 : 3, to: directory.file("shard.safetensors"))
        let stem = name.hasPrefix("s") ? "model." : "pytorch_model.bin."
        try Data(index.utf8).write(to: URL(filePath: directory.file(stem + name)))
        #expect(try value(directory.path) == (name.hasPrefix("s") ? 2 : 3))
        try FileManager.default.removeItem(atPath: directory.file("shard.safetensors"))
      }
      try write(1, to: directory.file("model.safetensors"))
      #expect(try value(directory.path) == 1)
      #expect(try value(directory.path + "/") == 1)
    }
  }

  @Test func theConfigurationIsKept() throws {
    try with { directory in
      try write(1, to: directory.file("model.safetensors"))
      try Data(#"{"architectures": ["ResNet"]}"#.utf8).write(to: URL(filePath: directory.file("config.json")))
      let file = try WeightFile.open(path: directory.path)
      #expect(file.metadata["huggingface.config"] == #"{"architectures": ["ResNet"]}"#)
      #expect(file.path == directory.path && file.sourceFile.hasSuffix("/model.safetensors"))
      try Data("[1]".utf8).write(to: URL(filePath: directory.file("config.json")))
      #expect(try WeightFile.open(path: directory.path).skipped.map(\.name) == ["config.json"])
    }
  }

  @Test func foldersThatAreNoModelSayWhatIsExpected() throws {
    try with { directory in
      #expect(throws: FolderError.noWeights(folder: directory.path)) { _ = try value(directory.path) }
      try write(1, to: directory.file("a.safetensors"))
      try write(1, to: directory.file("b.safetensors"))
      let several = FolderError.severalWeights(folder: directory.path, files: ["a.safetensors", "b.safetensors"])
      #expect(throws: several) { _ = try value(directory.path) }
      try Data([8, 1, 18, 2, 10, 0]).write(to: URL(filePath: directory.file("saved_model.pb")))
      #expect(try reportOfOpening(directory.path).advice?.contains("save_weights") == true)
      #expect(try reportOfOpening(directory.file("saved_model.pb")).problem.contains("SavedModel"))
    }
  }

  @Test(arguments: ["../outside.safetensors", "/etc/hostname", "sub/shard.safetensors", "link.safetensors", "pipe"])
  func shardsElsewhereAreRefused(_ shard: String) throws {
    try with { directory in
      let folder = directory.file("model")
      try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
      for path in [directory.file("outside.safetensors"), folder + "/sub/shard.safetensors"] { try write(1, to: path) }
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link.safetensors", withDestinationPath: "../outside.safetensors")
      mkfifo(folder + "/pipe", 0o600)
      try Data(#"{"weight_map": {"w": "\#(shard)"}}"#.utf8).write(
        to: URL(filePath: folder + "/model.safetensors.index.json"))
      #expect(throws: (any Error).self) { _ = try value(folder) }
    }
  }

  @Test func aDownloadCachesLinksAreFollowed() throws {
    try with { directory in
      let (blobs, snapshot) = (directory.file("blobs"), directory.file("snapshots/main"))
      for folder in [blobs, snapshot] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      }
      try write(5, to: blobs + "/aa")
      try Data(#"{"weight_map": {"w": "model-1.safetensors"}}"#.utf8).write(to: URL(filePath: blobs + "/bb"))
      for (name, blob) in [("model-1.safetensors", "aa"), ("model.safetensors.index.json", "bb")] {
        try FileManager.default.createSymbolicLink(
          atPath: snapshot + "/" + name, withDestinationPath: "../../blobs/" + blob)
      }
      #expect(try value(snapshot) == 5)
    }
  }

  @Test func kerasShardsAreOneModel() throws {
    let whole = try WeightFile.open(path: Fixture.path("keras_shards/whole.weights.h5")).stateDict
    let shards = try WeightFile.open(path: Fixture.path("keras_shards/split.weights.json")).stateDict
    #expect(whole.count == 8 && Set(shards.names) == Set(whole.names))
    for (name, tensor) in shards.tensors { #expect(try tensor.isSame(as: #require(whole[name])), "\(name)") }
  }

  @Test func tiesThatSafetensorsRecordedAreRestored() throws {
    try with { directory in
      var stateDict = StateDict()
      stateDict["w"] = try Tensor(dtype: .float32, shape: [1], storage: MemoryStorage(copying: [Float(2)]))
      var metadata = CheckpointMetadata()
      metadata.others = ["lm_head": "w", "format": "pt", "w": "w"]
      try CheckpointWriter.write(stateDict, metadata: metadata, to: directory.file("x.safetensors"))
      #expect(try WeightFile.open(path: directory.file("x.safetensors")).stateDict.names == ["w", "lm_head"])
    }
  }

  @Test func aFolderMayHoldATensorFlowCheckpoint() throws {
    try with { directory in
      for name in ["model.ckpt-7.index", "model.ckpt-7.data-00000-of-00002", "model.ckpt-7.data-00001-of-00002"] {
        try copy("tf_checkpoint/" + name, to: directory.file(name))
      }
      #expect(try WeightFile.open(path: directory.path).format == .tensorFlowCheckpoint)
    }
  }
}
