import Testing
import ZooCheckpoint

@testable import ZooFormats

@Suite struct PyTorchReaderTests {
  @Test(arguments: [
    "dtypes-p2", "dtypes-p3", "dtypes-p4", "dtypes-p5", "legacy-p2", "legacy-p4", "views", "legacy-views", "shared",
    "legacy-shared", "parameters", "module-state", "whole-module", "legacy-whole-module", "whole-module-p4",
    "nested-modules", "training", "wrapped-model", "wrapped-state_dict_ema", "wrapped-model_ema", "wrapped-net",
    "wrapped-weights", "wrapped-ema", "wrapped-params", "wrapped-network_v2", "compiled", "nested", "odd-keys",
    "tensor",
    "big-endian", "deflated", "zip64", "no-crc", "subclass", "protocol-1", "legacy-p1",
  ])
  func tensorsAreThoseThatTorchLoads(_ name: String) throws {
    let fixture = try PyTorchFixture(name)
    let file = try WeightFile.open(path: PyTorchFixture.path("\(name).pth"))
    try fixture.expectSame(file.stateDict)
    #expect(file.wrapper == fixture.facts.wrapper)
    #expect(file.format == (name.hasPrefix("legacy") ? .pyTorchLegacy : .pyTorchZip))
    if let versions = fixture.facts.versions {
      #expect(Dictionary(uniqueKeysWithValues: file.stateDict.versions.map { ($0, $1) }) == versions)
    }
    try file.checkRecords()
  }

  @Test(arguments: ["shared", "legacy-shared"])
  func tiedTensorsShareOneStorage(_ name: String) throws {
    let stateDict = try WeightFile.open(path: PyTorchFixture.path("\(name).pth")).stateDict
    let embed = try #require(stateDict["embed.weight"])
    #expect(stateDict["head.weight"]?.storage === embed.storage)
    #expect(stateDict["part"]?.storage === embed.storage)
    #expect(stateDict["part"]?.storageOffset == 3)
  }

  @Test(arguments: ["module-state", "legacy-p2"])
  func storedTensorsAreRangesOfTheFile(_ name: String) throws {
    let stateDict = try WeightFile.open(path: PyTorchFixture.path("\(name).pth")).stateDict
    #expect(stateDict.tensors.values.allSatisfy { $0.storage.fileRange != nil })
  }

  @Test func whatStandsBesideTheWeightsIsNamed() throws {
    let file = try WeightFile.open(path: PyTorchFixture.path("training.pth"))
    #expect(file.skipped.map(\.name).sorted() == ["optimizer", "rng_state"])
    #expect(file.globals.contains { $0.name == "argparse.Namespace" && !$0.isDangerous })
  }

  @Test func keysThatAreNoTextAreSkippedByReason() throws {
    let file = try WeightFile.open(path: PyTorchFixture.path("odd-keys.pth"))
    #expect(file.skipped.map(\.name).sorted() == ["?", "note"])
  }

  @Test(arguments: [
    ("complex", "spectrum", "complex64"), ("quantized", "packed", "quantized"), ("sparse", "sparse", "sparse"),
    ("negated", "negated", "negated"),
  ])
  func tensorsWithoutPlainValuesAreRefusedByName(_ name: String, tensor: String, kind: String) throws {
    let report = try reportOfOpening(PyTorchFixture.path("\(name).pth"))
    #expect(report.kind == .badData)
    #expect(report.place == tensor)
    #expect(report.problem.contains(kind))
    let salvaged = try WeightFile.open(path: PyTorchFixture.path("\(name).pth"), salvage: true)
    #expect(salvaged.stateDict.names == ["w"])
    #expect(salvaged.skipped.map(\.name) == [tensor])
  }

  @Test func tracedModuleCarriesCodeButItsTensorsCanBeSalvaged() throws {
    let path = PyTorchFixture.path("graph-module.pth")
    #expect(
      try reportOfOpening(path).problem.hasPrefix("names torch.fx.graph_module.reduce_graph_module, which runs code"))
    try PyTorchFixture("graph-module").expectSame(WeightFile.open(path: path, salvage: true).stateDict)
  }

  @Test func orderedDictOfPython2KeepsItsPairs() throws {
    // Protocol 0 and 1 gave the constructor a list of [key, value].
    var pickle = PickleAssembler()
    pickle.global("collections", "OrderedDict")
    pickle.put(.emptyList)
    for name in ["b", "a"] {
      pickle.put(.emptyList)
      pickle.put(.shortBinString, [1] + Array(name.utf8))
      pickle.put(.append)
      pickle.tensor()
      pickle.put(.append)
      pickle.put(.append)
    }
    pickle.put(.tuple1)
    pickle.put(.reduce)
    pickle.put(.stop)
    let file = try open(ZipAssembler.checkpoint(pickle.bytes).bytes())
    #expect(file.stateDict.names == ["b", "a"])
    #expect(file.skipped.isEmpty)
  }

  @Test func sameKeyTwiceKeepsTheLastValueAsPythonDoes() throws {
    let pickle = PickleAssembler.stateDict { pickle in
      pickle.string("w")
      pickle.tensor(shape: [2])
      pickle.put(.setItem)
    }
    let file = try open(ZipAssembler.checkpoint(pickle).bytes())
    #expect(file.stateDict.names == ["w"])
    #expect(file.stateDict["w"]?.shape == [2])
  }

  @Test func fileWithoutTensorsSaysWhatItHolds() throws {
    let report = try reportOfOpening(PyTorchFixture.path("no-tensors.pth"))
    #expect(report.problem == "holds no tensors, only a dictionary")
  }

  @Test(arguments: ["shards/pytorch_model.bin.index.json", "shards/model.safetensors.index.json"])
  func shardsGiveOneStateDict(_ name: String) throws {
    let file = try WeightFile.open(path: PyTorchFixture.path(name))
    let prefix = name.contains("bin") ? "module." : ""
    #expect(file.format == .shardIndex)
    #expect(file.stateDict.names == [prefix + "a", prefix + "b"])
    let expected = try PyTorchFixture("shards").expected
    #expect(try file.stateDict[prefix + "a"]?.floats() == expected["a"]?.floats())
    #expect(try file.stateDict[prefix + "b"]?.floats() == expected["b"]?.floats())
  }
}
