import Foundation
import TestSupport
import Testing

@testable import ZooCheckpoint

@Suite struct WriterTests {
  private func withFolder(_ body: (TemporaryDirectory) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try body(directory)
  }

  private func sample() throws -> StateDict {
    var stateDict = StateDict()
    let storage = MemoryStorage(copying: (0..<24).map { Float($0) / 7 })
    stateDict["whole"] = try Tensor(dtype: .float32, shape: [4, 6], storage: storage)
    stateDict["turned"] = try Tensor(dtype: .float32, shape: [6, 4], strides: [1, 6], storage: storage)
    stateDict["empty"] = try Tensor(dtype: .float32, shape: [0, 3], storage: MemoryStorage([]))
    stateDict["count"] = try Tensor(dtype: .int64, shape: [], storage: MemoryStorage(copying: [Int64(-7)]))
    return stateDict
  }

  @Test func whatIsWrittenIsReadBack() throws {
    try withFolder { directory in
      var metadata = CheckpointMetadata()
      metadata.model = "tiny \"quoted\" \u{1F600}"
      metadata.labels = ["a", "b\nc"]
      let written = try CheckpointWriter.write(try sample(), metadata: metadata, to: directory.file("x"))
      let checkpoint = try Checkpoint.open(path: directory.file("x"))
      #expect(checkpoint.metadata.model == metadata.model)
      #expect(checkpoint.metadata.labels == metadata.labels)
      #expect(checkpoint.metadata.digest == written.digest)
      #expect(try checkpoint.dataDigest() == written.digest)
      #expect(try checkpoint.stateDict["count"]?.floats() == [-7])
      let turned = try #require(try checkpoint.stateDict["turned"]?.floats())
      #expect(turned[1] == Float(6) / 7 && turned[4] == Float(1) / 7)
      #expect(checkpoint.stateDict["empty"]?.shape == [0, 3])
    }
  }

  @Test func theSameTensorsGiveTheSameBytesAtAMultipleOf64() throws {
    try withFolder { directory in
      for name in ["a", "b"] {
        try CheckpointWriter.write(try sample(), metadata: CheckpointMetadata(), to: directory.file(name))
      }
      let bytes = try Data(contentsOf: URL(filePath: directory.file("a")))
      #expect(try bytes == Data(contentsOf: URL(filePath: directory.file("b"))))
      #expect(try SafetensorsReader.dataOffset(of: MappedFile(path: directory.file("a"))) % 64 == 0)
    }
  }

  @Test func halfPrecisionRoundsToTheNearestEven() throws {
    try withFolder { directory in
      var stateDict = StateDict()
      // Halfway between two halves, just above, the largest, beyond it, the smallest subnormal's half, NaN.
      let values: [Float] = [1 + 1 / 2048, 1 + 1.5 / 1024, 65504, 70000, 2.9e-8, .nan, -0.1]
      stateDict["x"] = try Tensor(dtype: .float32, shape: [7], storage: MemoryStorage(copying: values))
      stateDict["n"] = try Tensor(dtype: .int64, shape: [1], storage: MemoryStorage(copying: [Int64(3)]))
      try CheckpointWriter.write(stateDict, metadata: .init(), to: directory.file("x"), dtype: .float16)
      let found = try Checkpoint.open(path: directory.file("x")).stateDict
      #expect(found["x"]?.dtype == .float16)
      #expect(found["n"]?.dtype == .int64)
      let halves = try #require(try found["x"]?.floats())
      #expect(halves[0] == 1 && halves[1] == 1 + 2 / 1024 && halves[2] == 65504 && halves[3] == .infinity)
      #expect(halves[4] == 0 && halves[5].isNaN && halves[6] == Float(Float16(-0.1)))
    }
  }

  @Test func whatExistsStaysAndFailureLeavesNothing() throws {
    try withFolder { directory in
      try Data("mine".utf8).write(to: URL(filePath: directory.file("x")))
      #expect(throws: FileError.self) {
        try CheckpointWriter.write(try sample(), metadata: .init(), to: directory.file("x"))
      }
      #expect(try String(contentsOfFile: directory.file("x"), encoding: .utf8) == "mine")
      do {
        let file = try AtomicFile(path: directory.file("y"), overwrite: false)
        try file.write("half")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["x"])
      #expect(throws: FileError.self) {
        try AtomicFile(path: directory.file("none/y"), overwrite: false)
      }
    }
  }

  @Test func onlyWholeFilesAppear() throws {
    try withFolder { directory in
      let file = try AtomicFile(path: directory.file("y"), overwrite: false)
      try file.write("all")
      #expect(!FileManager.default.fileExists(atPath: directory.file("y")))
      try file.commit()
      #expect(try String(contentsOfFile: directory.file("y"), encoding: .utf8) == "all")
    }
  }

  @Test func aViewBeyondItsStorageCanNotBeMade() throws {
    let storage = MemoryStorage([UInt8](repeating: 0, count: 16))
    #expect(throws: TensorError.self) { try Tensor(dtype: .float32, shape: [5], storage: storage) }
    #expect(throws: TensorError.self) { try Tensor(dtype: .float32, shape: [2], strides: [4], storage: storage) }
    #expect(throws: TensorError.self) { try Tensor(dtype: .float32, shape: [2], storageOffset: 3, storage: storage) }
    #expect(throws: TensorError.self) { try Tensor(dtype: .float32, shape: [2], strides: [-1], storage: storage) }
    #expect(throws: TensorError.self) { try Tensor(dtype: .float32, shape: [.max, 2], storage: storage) }
  }
}
