import Foundation
import TestSupport
import Testing
import ZooCheckpoint

@testable import ZooCatalog

@Suite struct NameMapTests {
  static func map(_ json: String) throws -> NameMap {
    let file = try JSONDecoder().decode(NameMapFile.self, from: Data(json.utf8))
    return try NameMap(file, file: "test.json")
  }

  static func map(rules: String, tables: String = "{}") throws -> NameMap {
    try map(#"{"naming": "n", "family": "f", "version": 1, "tables": \#(tables), "rules": \#(rules)}"#)
  }

  static func tensor(_ shape: [Int]) throws -> Tensor {
    let count = shape.reduce(1, *)
    return try Tensor(
      dtype: .float32, shape: shape, storage: MemoryStorage(copying: (0..<count).map { Float($0) }))
  }

  /// Names and shapes of the published EfficientNet-Lite0 file, in its order, over no data.
  static func lite0() throws -> StateDict {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_efficientnet_lite0_source.json")))
    let list = try JSONDecoder().decode([JSONValue].self, from: data)
    var stateDict = StateDict()
    for case .array(let pair) in list {
      guard case .string(let name) = pair[0], case .array(let sizes) = pair[1] else { continue }
      let shape = sizes.compactMap { if case .number(let size) = $0 { Int(size) } else { nil } }
      stateDict[name] = try Tensor(
        dtype: .float32, shape: shape, strides: shape.map { _ in 0 }, storage: MemoryStorage(copying: [Float(0)]))
    }
    return stateDict
  }

  @Test func efficientNetLite0BecomesTimmsNamesInTimmsOrder() throws {
    let catalog = try Catalog(overlays: [])
    let map = try #require(catalog.nameMaps.first { $0.naming == "efficientnet-pytorch" })
    let source = try Self.lite0()
    let renamed = try map.apply(.importing, to: source)
    #expect(renamed.unmatched == [])
    #expect(renamed.unusedRules == [])
    // Both frameworks list modules in the order of computation, so that each tensor's place tells its identity.
    let graph = try catalog.model(named: "efficientnet_lite0").graph()
    let counters = Set(graph.stepCounters)
    #expect(renamed.stateDict.names.filter { !counters.contains($0) } == graph.parameters.map(\.name))
    let back = try map.apply(.exporting, to: renamed.stateDict)
    #expect(back.stateDict.names == source.names)
    #expect(back.unmatched == [])
  }

  @Test func modulesAreFoundByTheRulesOfTheirTensors() throws {
    let maps = try Catalog(overlays: []).nameMaps.filter { $0.naming == "keras" }
    let resnet = try #require(maps.first { $0.models == ["keras_resnet50"] })
    let modules = [
      "conv1_conv": "conv1", "conv1_bn": "bn1", "conv3_block1_1_bn": "layer2.0.bn1",
      "conv3_block1_0_conv": "layer2.0.downsample.0", "conv3_block1_0_bn": "layer2.0.downsample.1", "predictions": "fc",
    ]
    #expect(resnet.canonicalModules(of: modules.keys + ["conv3_block1_1_relu", "avg_pool"]) == modules)
  }

  @Test func arithmeticAndTablesWorkBothWays() throws {
    let map = try Self.map(
      rules: #"[{"from": "l{stage:letter}.{block:int}.{leaf}", "to": "layer{stage}.{block-2}.{leaf}"}]"#,
      tables: #"{"letter": {"a": "1", "aa": "2"}}"#)
    #expect(map.renamed("laa.12.weight", .importing)?.name == "layer2.10.weight")
    #expect(map.renamed("layer1.0.bias", .exporting)?.name == "la.2.bias")
    #expect(map.renamed("la.1.bias", .importing) == nil)
    #expect(map.renamed("la.02.bias", .importing) == nil)
    #expect(map.renamed("lb.2.bias", .importing) == nil)
  }

  @Test func transformsAreUndoneByExport() throws {
    let map = try Self.map(
      rules: """
        [{"from": "conv.{n}", "to": "c.{n}", "transform": ["permute(3,2,0,1)"]},
         {"from": "dense", "to": "fc", "transform": ["transpose", "flip(0)"]},
         {"from": "flat", "to": "fc6", "transform": ["reshape(2,3,-1,5)", "permute(3,2,0,1)", "reshape(5,24)"],
          "inverse": ["reshape(5,4,2,3)", "permute(2,3,1,0)", "reshape(24,5)"]}]
        """)
    var source = StateDict()
    source["conv.k"] = try Self.tensor([3, 2, 4, 5])
    source["dense"] = try Self.tensor([2, 3])
    source["flat"] = try Self.tensor([24, 5])
    let ours = try map.apply(.importing, to: source).stateDict
    #expect(ours["c.k"]?.shape == [5, 4, 3, 2])
    #expect(try ours["fc"]?.floats() == [2, 5, 1, 4, 0, 3])
    // Channel 1 at row 0, column 0 of the second output: source row (0·3 + 0)·4 + 1, column 1.
    #expect(try ours["fc6"]?.floats()[24 + 6] == 1 * 5 + 1)
    let back = try map.apply(.exporting, to: ours).stateDict
    for name in source.names {
      #expect(back[name]?.shape == source[name]?.shape)
      #expect(try back[name]?.floats() == source[name]?.floats())
    }
  }

  @Test func permutationCostsNoCopy() throws {
    let tensor = try Self.tensor([3, 2, 4, 5])
    let view = try #require(try TensorTransform("permute(3,2,0,1)")?.apply(tensor))
    #expect(view.storage === tensor.storage)
    #expect(try view.floats()[1] == 20)
  }

  @Test func reshapeAloneIsOneWay() throws {
    let map = try Self.map(rules: #"[{"from": "a", "to": "b", "transform": ["reshape(-1)"]}]"#)
    var stateDict = StateDict()
    stateDict["b"] = try Self.tensor([4])
    #expect(throws: CatalogError.notInvertible(map: "test.json", rule: "a → b")) {
      try map.apply(.exporting, to: stateDict)
    }
  }

  @Test func unmatchedTensorsAndUnusedRulesAreReported() throws {
    let map = try Self.map(rules: #"[{"from": "a", "to": "b"}, {"from": "x", "to": "y"}]"#)
    var stateDict = StateDict()
    stateDict["a"] = try Self.tensor([1])
    stateDict["stray"] = try Self.tensor([1])
    let renamed = try map.apply(.importing, to: stateDict)
    #expect(renamed.stateDict.names == ["b", "stray"])
    #expect(renamed.unmatched == ["stray"])
    #expect(renamed.unusedRules == ["x → y"])
  }

  @Test func twoTensorsOfOneNameAreRefused() throws {
    let map = try Self.map(rules: #"[{"from": "a", "to": "b"}]"#)
    var stateDict = StateDict()
    stateDict["a"] = try Self.tensor([1])
    stateDict["b"] = try Self.tensor([1])
    #expect(throws: CatalogError.nameCollision(map: "test.json", name: "b", first: "a", second: "b")) {
      try map.apply(.importing, to: stateDict)
    }
  }

  @Test func transformThatDoesNotFitNamesTheTensor() throws {
    let map = try Self.map(rules: #"[{"from": "a", "to": "b", "transform": ["transpose"]}]"#)
    var stateDict = StateDict()
    stateDict["a"] = try Self.tensor([2, 2, 2])
    let expected = CatalogError.badTransform(
      map: "test.json", tensor: "a", transform: "transpose", shape: [2, 2, 2])
    #expect(throws: expected) { try map.apply(.importing, to: stateDict) }
  }

  @Test(arguments: [
    #"{"from": "a{x}", "to": "b"}"#, #"{"from": "a{x", "to": "b"}"#, #"{"from": "a}", "to": "b"}"#,
    #"{"from": "{x:nothing}", "to": "{x}"}"#, #"{"from": "{x}", "to": "{x+1}"}"#, #"{"from": "{}", "to": "{}"}"#,
    #"{"from": "a", "to": "b", "transform": ["permute(0,0)"]}"#, #"{"from": "a", "to": "b", "transform": ["rot13"]}"#,
    #"{"from": "a", "to": "b", "transform": ["reshape(-1,-1)"]}"#,
  ])
  func malformedRuleIsRefused(rule: String) {
    #expect(throws: CatalogError.self) { try Self.map(rules: "[\(rule)]") }
  }

  @Test func ambiguousTableIsRefused() {
    #expect(throws: CatalogError.self) { try Self.map(rules: "[]", tables: #"{"t": {"a": "1", "b": "1"}}"#) }
  }
}
