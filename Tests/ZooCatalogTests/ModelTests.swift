import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooCatalog

@Suite struct ModelTests {
  struct Expected: Decodable {
    let sha256: String
    let tensors: Int
    let parameters: Int
    let multiplyAdds: Double
  }

  @Test func everyModelHasTheNamesShapesAndCostOfItsOriginal() throws {
    let catalog = try Catalog(overlays: [])
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_shapes.json")))
    let expected = try JSONDecoder().decode([String: Expected].self, from: data)
    let models = catalog.models.filter { $0.maximumLength == nil }
    #expect(Set(models.map(\.name)) == Set(expected.keys))
    for model in models {
      let expected = try #require(expected[model.name])
      try Self.check(model, model.graph(), expected)
      #expect(model.parameters == expected.parameters)
      // A segmentation network's published cost counts its auxiliary classifier.
      guard model.task == "image-classification" else { continue }
      #expect(model.gflops == (expected.multiplyAdds / 1e6).rounded() / 1e3, "\(model.name)")
    }
  }

  @Test func everyModelOfTextsHasTheNamesShapesAndCostOfItsOriginalWithEachOfItsHeads() throws {
    let catalog = try Catalog(overlays: [])
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_text_shapes.json")))
    let expected = try JSONDecoder().decode([String: [Expected]].self, from: data)
    let models = catalog.models.filter { $0.maximumLength != nil }
    #expect(Set(models.map(\.name)) == Set(expected.keys))
    for model in models {
      let expected = try #require(expected[model.name])
      #expect(model.configs.count == expected.count)
      for (config, expected) in zip(model.configs, expected) {
        let description = NetworkDescription(family: model.family, config: config, classes: model.classes)
        try Self.check(model, description.graph(), expected)
      }
      #expect(model.parameters == expected[0].parameters)
      #expect(model.gflops == (expected[0].multiplyAdds / 1e6).rounded() / 1e3, "\(model.name)")
    }
  }

  @Test func twinsAreTheSameNetwork() throws {
    let catalog = try Catalog(overlays: [])
    let twins = catalog.models.filter { $0.twinOf != nil }
    #expect(twins.map(\.name) == ["t5_v1_1_base"])
    for twin in twins {
      let other = try catalog.model(named: #require(twin.twinOf))
      #expect(try twin.graph() == other.graph())
    }
  }

  private static func check(_ model: Model, _ graph: Graph, _ expected: Expected) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    var shapes = Dictionary(uniqueKeysWithValues: graph.parameters.map { ($0.name, $0.shape) })
    for (alias, name) in graph.aliases { shapes[alias] = shapes[name] }
    for counter in graph.stepCounters { shapes[counter] = [] }
    for buffer in graph.indexBuffers { shapes[buffer.name] = buffer.shape }
    let lines = shapes.map { "\($0.key):" + $0.value.map(String.init).joined(separator: "x") }
    let list = folder.file(model.name)
    try lines.sorted().joined(separator: "\n").write(toFile: list, atomically: false, encoding: .utf8)
    #expect(lines.count == expected.tensors, "\(model.name)")
    #expect(try model.description().task().rawValue == model.task, "\(model.name)")
    #expect(try Digest.sha256(of: MappedFile(path: list)) == expected.sha256, "\(model.name)")
    #expect(graph.parameterCount == expected.parameters, "\(model.name)")
    #expect(try graph.multiplyAdds(input: model.inputShape) == expected.multiplyAdds, "\(model.name)")
  }

  @Test func aTaskThatTheFamilyDoesNotDoIsRefused() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    let files = folder.file("zoo/resnet")
    try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
    let model = """
      {"name": "odd", "title": "Odd", "family": "resnet", "task": "image-segmentation",
       "config": {"block": "basic", "layers": [1, 1, 1, 1]}, "classes": 3, "input": {"size": [32, 32]},
       "parameters": 0, "gflops": 0, "weights": []}
      """
    try model.write(toFile: files + "/odd.json", atomically: false, encoding: .utf8)
    let expected = CatalogError.badFile(
      file: folder.path + "/zoo/resnet/odd.json",
      problem: "has the task image-segmentation, but such a network of resnet is for image-classification")
    #expect(throws: expected) { try Catalog(overlays: [folder.path]) }
  }

  @Test func everyModelHasAThousandLabels() throws {
    for model in try Catalog(overlays: []).models where model.maximumLength == nil {
      #expect(model.labels.count == model.classes)
      guard model.task == "image-classification" else { continue }
      try #require(model.labels.count == 1000)
      #expect(model.labels[207] == "golden retriever")
    }
  }

  @Test func secondWeightsWantTheirOwnResize() throws {
    let model = try Catalog(overlays: []).model(named: "resnet50")
    #expect(model.input.contains(#""resize":256"#))
    #expect(model.input(forWeights: "IMAGENET1K_V2").contains(#""resize":232"#))
    #expect(model.bestAccuracy == 80.858)
  }

  @Test func unknownModelSuggestsTheNearest() throws {
    let catalog = try Catalog(overlays: [])
    #expect(throws: CatalogError.unknownModel(name: "resnet51", nearest: ["resnet50", "resnet101", "resnet152"])) {
      try catalog.model(named: "resnet51")
    }
  }

  @Test func patternsSelectAsAShellDoes() throws {
    let catalog = try Catalog(overlays: [])
    #expect(try catalog.models(matching: "vgg1[13]").map(\.name) == ["vgg11", "vgg13"])
    #expect(try catalog.models(matching: "resnet??").map(\.name) == ["resnet18", "resnet34", "resnet50"])
    #expect(try catalog.models(matching: "Wide").map(\.name) == ["wide_resnet50_2", "wide_resnet101_2"])
    let tasks = [
      "feature-extraction", "fill-mask", "image-classification", "image-segmentation", "text-generation",
      "text2text-generation",
    ]
    #expect(try tasks.flatMap { try catalog.models(matching: nil, task: $0) }.count == catalog.models.count)
    #expect(throws: CatalogError.noMatch(pattern: nil, task: "juggling", tasks: tasks)) {
      try catalog.models(matching: nil, task: "juggling")
    }
  }

  @Test func checkpointsConfigurationBuildsTheSameNetwork() throws {
    let model = try Catalog(overlays: []).model(named: "resnext50_32x4d")
    let json = model.description(classes: 3).json
    #expect(
      json == #"{"classes":3,"config":{"block":"bottleneck","groups":32,"layers":[3,4,6,3],"widthPerGroup":4},"#
        + #""family":"resnet"}"#)
    #expect(try Catalog.graph(forConfig: json) == model.graph(classes: 3))
  }

  @Test func whatOnlyTrainingFromScratchUsesCanBeLeftBehind() throws {
    let catalog = try Catalog(overlays: [])
    let stripped = try catalog.model(named: "inception_v3").description(classes: 3).withoutTrainingParts()
    #expect(stripped.config["auxiliary"] == nil)
    #expect(stripped.config["transformsInput"] == .bool(true))
    #expect(stripped.classes == 3)
    #expect(try stripped.graph().parameters.allSatisfy { !$0.name.hasPrefix("AuxLogits.") })
    let other = try catalog.model(named: "resnet18").description()
    #expect(try other.withoutTrainingParts() == other)
  }

  @Test(arguments: ["", "{}", "[1]", #"{"family":"resnet","classes":3}"#])
  func damagedConfigurationIsRefused(json: String) {
    #expect(throws: CatalogError.self) { try Catalog.graph(forConfig: json) }
  }
}

@Suite struct OverlayTests {
  @Test func overlayAddsAndReplacesModels() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(
      atPath: folder.file("zoo/resnet"), withIntermediateDirectories: true)
    let tiny = """
      {"name": "resnet10", "title": "ResNet-10", "family": "resnet", "task": "image-classification",
       "config": {"block": "basic", "layers": [1, 1, 1, 1]}, "classes": 4, "input": {"size": [96, 64]},
       "parameters": 1, "gflops": 0.1, "weights": []}
      """
    try tiny.write(toFile: folder.file("zoo/resnet/resnet10.json"), atomically: true, encoding: .utf8)
    let catalog = try Catalog(overlays: [folder.path])
    let model = try catalog.model(named: "resnet10")
    #expect(model.inputSize == [96, 64])
    #expect(try catalog.models.count == Catalog(overlays: []).models.count + 1)
    #expect(try model.graph().parameters.last?.shape == [4])
  }

  @Test func damagedOverlayNamesFileAndField() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.file("zoo"), withIntermediateDirectories: true)
    try #"{"name": 3}"#.write(toFile: folder.file("zoo/x.json"), atomically: true, encoding: .utf8)
    let error = #expect(throws: CatalogError.self) { try Catalog(overlays: [folder.path]) }
    #expect(error?.report.file == folder.file("zoo/x.json"))
    #expect(error?.report.line.contains("name") == true)
  }

  @Test func folderWithoutCatalogueIsRefused() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    #expect(throws: CatalogError.noCatalog(folder: folder.path)) { try Catalog(overlays: [folder.path]) }
  }

  @Test func storeFollowsTheEnvironment() {
    #expect(ModelStore(environment: ["ZOO_HOME": "/a"]).path(forModel: "resnet50") == "/a/resnet50.safetensors")
    #expect(ModelStore(environment: ["XDG_DATA_HOME": "/b", "HOME": "/h"]).folder == "/b/zoo/models")
    #expect(ModelStore(environment: ["XDG_DATA_HOME": "b", "HOME": "/h"]).folder == "/h/.local/share/zoo/models")
    #expect(!ModelStore(environment: ["ZOO_HOME": "/"]).contains("../etc/passwd"))
  }
}
