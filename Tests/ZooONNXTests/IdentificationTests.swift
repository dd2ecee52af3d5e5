import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph

@testable import ZooONNX

/// Models of `make_onnx.py` that torch exported in its several ways.
@Suite struct IdentificationTests {
  static let folded = [
    "script-11", "script-13-batch", "script-20", "dynamo", "dynamo-batch",
  ]
  static let whole = ["script-plain", "script-keep", "script-train", "dynamo-plain"]

  /// The catalogue with the fixtures' network and one of the same shapes and another stride.
  static func withCatalog(_ body: (Catalog) throws -> Void) throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.file("zoo"), withIntermediateDirectories: true)
    for (name, config) in [
      ("tiny", #"{"block": "basic", "layers": [1, 1], "width": 4}"#),
      (
        "other",
        #"{"block": "basic", "layers": [1, 1], "width": 4, "stem": {"kernel": 7, "stride": 1, "maxPool": true}}"#
      ),
    ] {
      let model = """
        {"name": "\(name)", "title": "\(name)", "family": "resnet", "task": "image-classification", "config": \(config),
         "classes": 1000, "input": {"size": [33, 33], "resize": 33, "crop": 33, "interpolation": "bilinear",
         "mean": [0, 0, 0], "std": [1, 1, 1]}, "parameters": 1, "gflops": 1, "weights": []}
        """
      try model.write(toFile: folder.file("zoo/\(name).json"), atomically: true, encoding: .utf8)
    }
    try body(Catalog(overlays: [folder.path]))
  }

  static func open(_ name: String) throws -> WeightFile {
    try WeightFile.open(path: Fixture.path("onnx/torch-\(name).onnx"))
  }

  @Test(arguments: folded + whole)
  func modelIsKnownByItsGraphWhateverItsNames(_ name: String) throws {
    try Self.withCatalog { catalog in
      let best = try #require(catalog.identify(Self.open(name)).certain)
      #expect(best.model.name == "tiny")
      #expect(best.classes == 5)
      #expect(best.isFolded == Self.folded.contains(name))
      #expect(best.description.foldedBatchNormalization == (best.isFolded ? true : nil))
    }
  }

  @Test(arguments: whole)
  func canonicalTensorsAreTorchsOwn(_ name: String) throws {
    let expected = try SafetensorsReader.read(
      MappedFile(path: Fixture.path("onnx/torch.expected.safetensors"))
    ).stateDict
    try Self.withCatalog { catalog in
      let file = try Self.open(name)
      let found = try #require(catalog.identify(file).certain).canonical(file.stateDict)
      // Exporting for training runs the network once, which moves the statistics.
      let names = expected.names.filter { !["x", "logits"].contains($0) && !$0.hasSuffix("num_batches_tracked") }
      #expect(Set(found.names) == Set(names))
      for tensor in names where !(name == "script-train" && tensor.contains("running_")) {
        #expect(try found[tensor]?.floats() == expected[tensor]?.floats(), "\(tensor)")
      }
    }
  }

  @Test(arguments: folded)
  func foldedTensorsStandUnderTheConvolutionsNames(_ name: String) throws {
    try Self.withCatalog { catalog in
      let file = try Self.open(name)
      let found = try #require(catalog.identify(file).certain).canonical(file.stateDict)
      #expect(
        Set(found.names)
          == Set(
            [
              "conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "layer2.0.downsample.0",
              "fc",
            ]
            .flatMap { ["\($0).weight", "\($0).bias"] }))
      #expect(found["conv1.bias"]?.shape == [4])
    }
  }

  @Test func networkOfNoCatalogueIsNone() throws {
    let catalog = try Catalog(overlays: [])
    for name in ["torch-script-11", "stranger-script", "stranger-dynamo"] {
      #expect(catalog.identify(try WeightFile.open(path: Fixture.path("onnx/\(name).onnx"))).certain == nil)
    }
  }

  @Test func modelsThatNothingTellsApartAreATie() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.file("zoo"), withIntermediateDirectories: true)
    for name in ["one", "two"] {
      let model = """
        {"name": "\(name)", "title": "T", "family": "resnet", "task": "image-classification",
         "config": {"block": "basic", "layers": [1, 1], "width": 4}, "classes": 5, "input": {"size": [33, 33]},
         "parameters": 1, "gflops": 1, "weights": []}
        """
      try model.write(toFile: folder.file("zoo/\(name).json"), atomically: true, encoding: .utf8)
    }
    let found = try Catalog(overlays: [folder.path]).identify(Self.open("dynamo"))
    #expect(found.prefix(2).map(\.model.name) == ["one", "two"])
    #expect(found.certain == nil)
  }

  @Test(arguments: [("in-order", true), ("turned", false)])
  func elementsTakenOutOfARowAreTheSameOnlyInTheirOwnOrder(_ name: String, _ isNetwork: Bool) throws {
    let model = try #require(try WeightFile.open(path: Fixture.path("onnx/row-\(name).onnx")).onnx)
    #expect((NativeNetwork(model) != nil) == isNetwork)
  }

  @Test(arguments: ["script", "dynamo"])
  func strangerBecomesANetworkOfTheEnginesOwnOperations(_ exporter: String) throws {
    let file = try WeightFile.open(path: Fixture.path("onnx/stranger-\(exporter).onnx"))
    let model = try #require(file.onnx)
    let network = try #require(NativeNetwork(model))
    #expect(network.endsInSoftmax)
    #expect(network.inputShape == [1, 3, 8, 8])
    let operations = network.graph.nodes.map { "\($0.operation)".prefix { $0 != "(" } }
    #expect(operations.filter { $0 == "linear" }.count == 2)
    #expect(network.graph.nodes.contains { $0.operation == .activation(.silu) })
    #expect(network.graph.nodes.contains { $0.operation == .activation(.relu6) })
  }
}
