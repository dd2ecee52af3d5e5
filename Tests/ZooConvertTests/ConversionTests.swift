import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint

@testable import ZooConvert

@Suite struct ConversionTests {
  private static let source = Fixture.path("pytorch/dtypes-p2.pth")

  private func withFolder(_ body: (TemporaryDirectory, Catalog) throws -> Void) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    try body(directory, try Catalog(overlays: []))
  }

  @Test func anUnknownStateDictKeepsItsNamesAndValues() throws {
    try withFolder { directory, catalog in
      let outcome = try Conversion(catalog: catalog).run(Self.source, to: directory.file("x.safetensors"))
      #expect(outcome.identification == nil)
      let found = try Checkpoint.open(path: directory.file("x.safetensors"))
      let expected = try Checkpoint.open(path: Fixture.path("pytorch/dtypes-p2.expected.safetensors")).stateDict
      #expect(found.stateDict.names.sorted() == expected.names.sorted())
      #expect(try Difference(found.stateDict, expected).entries.isEmpty)
      #expect(found.metadata.model == nil)
      #expect(found.metadata.source?.contains(outcome.sha256) == true)
      #expect(try Verification(path: directory.file("x.safetensors"), catalog: catalog).holds)
    }
  }

  @Test(arguments: [
    (#"{"id2label": {"0": "cat", "1": "dog", "2": "seal"}}"#, ["cat", "dog", "seal"]),
    (#"{"label_names": ["a", "b", "c"]}"#, ["a", "b", "c"]),
    (#"{"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}"#, nil),
    (#"{"id2label": {"0": "cat", "2": "seal"}}"#, nil),
    (#"{"id2label": ["cat"], "label_names": 7}"#, nil),
  ])
  func labelsOfThePublishersConfigAreTaken(_ config: String, _ labels: [String]?) throws {
    try withFolder { directory, catalog in
      let model = try catalog.model(named: "squeezenet1_1")
      let graph = try model.graph(classes: 3)
      var stateDict = StateDict()
      for parameter in graph.parameters {
        let zeros = [Float](repeating: 0, count: parameter.shape.reduce(1, *))
        stateDict[parameter.name] = try Tensor(
          dtype: .float32, shape: parameter.shape, storage: MemoryStorage(copying: zeros))
      }
      try FileManager.default.createDirectory(atPath: directory.file("m"), withIntermediateDirectories: true)
      try CheckpointWriter.write(stateDict, metadata: .init(), to: directory.file("m/model.safetensors"))
      try config.write(toFile: directory.file("m/config.json"), atomically: false, encoding: .utf8)
      _ = try Conversion(catalog: catalog).run(directory.file("m"), to: directory.file("x.safetensors"))
      let found = try Checkpoint.open(path: directory.file("x.safetensors")).metadata
      #expect(found.model == "squeezenet1_1")
      #expect(found.labels == labels)
    }
  }

  @Test func aFlippedBitAndANaNAreFound() throws {
    try withFolder { directory, catalog in
      var stateDict = StateDict()
      stateDict["x"] = try Tensor(dtype: .float32, shape: [3], storage: MemoryStorage(copying: [Float(1), 2, 3]))
      let path = directory.file("x.safetensors")
      try CheckpointWriter.write(stateDict, metadata: .init(), to: path)
      #expect(try Verification(path: path, catalog: catalog).holds)
      var bytes = try Data(contentsOf: URL(filePath: path))
      bytes[bytes.count - 2] ^= 4
      try bytes.write(to: URL(filePath: path))
      #expect(try Verification(path: path, catalog: catalog).checks.filter { !$0.holds }.map(\.name) == ["digest"])
      stateDict["x"] = try Tensor(dtype: .float32, shape: [3], storage: MemoryStorage(copying: [Float(1), .nan, 3]))
      try CheckpointWriter.write(stateDict, metadata: .init(), to: path, overwrite: true)
      #expect(try Verification(path: path, catalog: catalog).checks.filter { !$0.holds }.map(\.name) == ["finite"])
    }
  }

  @Test func differencesAreNamed() throws {
    func stateDict(_ tensors: [(String, [Int], [Float])]) throws -> StateDict {
      var stateDict = StateDict()
      for (name, shape, values) in tensors {
        stateDict[name] = try Tensor(dtype: .float32, shape: shape, storage: MemoryStorage(copying: values))
      }
      return stateDict
    }
    let first = try stateDict([("a", [2], [1, 2]), ("b", [2], [1, 2]), ("c", [2], [1, 2]), ("d", [2], [1, 2])])
    let second = try stateDict([("a", [2], [1, 2]), ("b", [2], [1, 2.5]), ("c", [1, 2], [1, 2]), ("e", [1], [0])])
    let difference = try Difference(first, second)
    #expect(difference.equal == 1)
    #expect(difference.entries.map(\.name) == ["b", "c", "d", "e"])
    #expect(difference.entries.map(\.kind) == [.values, .shape, .onlyFirst, .onlySecond])
    #expect(difference.entries[0].maximum == 0.5)
    #expect(try Difference(first, second, tolerance: 0.5).entries.map(\.name) == ["c", "d", "e"])
  }

  @Test func differencesBelowFloat32AreSeen() throws {
    func stateDict<Value: BitwiseCopyable>(_ dtype: DType, _ values: [Value]) throws -> StateDict {
      var stateDict = StateDict()
      stateDict["w"] = try Tensor(dtype: dtype, shape: [2], storage: MemoryStorage(copying: values))
      return stateDict
    }
    func maximum<Value: BitwiseCopyable>(_ dtype: DType, _ first: [Value], _ second: [Value]) throws -> Double? {
      try Difference(stateDict(dtype, first), stateDict(dtype, second)).entries.first?.maximum
    }
    #expect(try maximum(.float64, [1, 0.5], [1 + 0x1p-52, 0.5]) == 0x1p-52)
    #expect(try maximum(.float64, [Double.nan, -0.0], [-Double.nan, 0.0]) == nil)
    #expect(try maximum(.float64, [Double.nan, 1], [1, 1]) == .infinity)
    #expect(try maximum(.int64, [Int64(1) << 60, 0], [1 << 61, 0]) == 0x1p60)
    #expect(try maximum(.int64, [(Int64(1) << 60) + 1, 0], [1 << 60, 0]) == 1)
    #expect(try maximum(.int64, [Int64.min, 0], [.max, 0]) == 0x1p64)
    #expect(try maximum(.int32, [(Int32(1) << 24) + 1, 0], [1 << 24, 0]) == 1)
    #expect(try maximum(.uint64, [UInt64.max, 0], [.max - 1, 0]) == 1)
    #expect(try maximum(.uint32, [UInt32.max, 0], [.max - 1, 0]) == 1)
  }

  @Test func statisticsAreThoseOfTheFiniteValues() throws {
    let values: [Float] = [1, 2, 3, 4, .nan, .infinity]
    let statistics = try TensorStatistics(
      Tensor(dtype: .float32, shape: [6], storage: MemoryStorage(copying: values)))
    #expect(statistics.mean == 2.5 && statistics.min == 1 && statistics.max == 4 && statistics.nonFinite == 2)
    #expect(abs(statistics.std - 1.25.squareRoot()) < 1e-12)
  }

  @Test func float64BeyondFloat32IsFinite() throws {
    let values: [Double] = [1e300, -1e300, .nan, 2e300]
    let statistics = try TensorStatistics(
      Tensor(dtype: .float64, shape: [4], storage: MemoryStorage(copying: values)))
    #expect(statistics.nonFinite == 1 && statistics.min == -1e300 && statistics.max == 2e300)
  }
}
