import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooEngine
import ZooFormats
import ZooGraph
import ZooONNX
import ZooONNXProgram

@testable import ZooExport

/// Networks written as ONNX, and read again as what they were.
@Suite struct ONNXExportTests {
  struct Network: Sendable, CustomTestStringConvertible {
    let family: String
    let config: String
    var size = 32
    var isFolded = false
    var testDescription: String { family + (isFolded ? " folded " : " ") + config }
  }

  static let networks = [
    Network(family: "resnet", config: #"{"block": "basic", "layers": [1, 1], "width": 4}"#),
    Network(family: "resnet", config: #"{"block": "bottleneck", "layers": [1, 1], "width": 4}"#, isFolded: true),
    Network(family: "vgg", config: #"{"blocks": [[4], [4, 6]], "batchNorm": true, "hidden": 8, "pooled": 2}"#),
    Network(family: "alexnet", config: #"{"channels": [4, 4, 4, 4, 4], "hidden": 8}"#, size: 224),
    Network(family: "efficientnet_lite", config: #"{"widthMultiplier": 0.1, "stem": 4, "features": 8}"#),
    Network(family: "convnext", config: #"{"depths": [1, 1], "widths": [4, 8]}"#),
    Network(family: "squeezenet", config: #"{"stem": {"channels": 4, "kernel": 3}, "squeezes": [[1], [2]]}"#),
    Network(family: "googlenet", config: #"{"widthMultiplier": 0.02, "transformsInput": true}"#),
    Network(family: "densenet", config: #"{"blocks": [2, 2], "growth": 4, "stem": 4}"#),
    Network(family: "mobilenet_v2", config: #"{"widthMultiplier": 0.1, "features": 8}"#),
    Network(
      family: "mobilenet_v3",
      config: """
        {"stem": 4, "hidden": 6, "blocks": [{"kernel": 3, "expanded": 4, "channels": 8, "squeezes": true},
         {"kernel": 5, "expanded": 12, "channels": 8, "squeezes": true, "hardSwish": true, "stride": 2}]}
        """),
    Network(family: "mnasnet", config: #"{"widthMultiplier": 0.1, "features": 8}"#),
    Network(family: "shufflenet_v2", config: #"{"channels": [4, 8, 12, 8], "repeats": [2, 2]}"#),
    Network(family: "regnet", config: #"{"depths": [1, 1], "widths": [4, 8], "groupWidth": 4, "squeeze": 0.5}"#),
    Network(family: "efficientnet", config: #"{"widthMultiplier": 0.1, "features": 8}"#),
    Network(family: "inception_v3", config: #"{"widthMultiplier": 0.02, "transformsInput": true}"#, size: 99),
  ]

  /// Adaptive pooling that comes to windows of different sizes.
  static let uneven = Network(family: "vgg", config: #"{"blocks": [[4], [6]], "hidden": 8, "pooled": 3}"#)

  /// Networks of tokens, which the engine doesn't take back from ONNX.
  static let transformers = [
    Network(
      family: "vision_transformer",
      config: #"{"patch": 8, "layers": 1, "heads": 2, "hiddenSize": 8, "mlpSize": 12, "imageSize": 40}"#),
    Network(family: "swin_transformer", config: #"{"width": 4, "depths": [2, 1], "heads": [1, 2], "window": 3}"#),
    Network(
      family: "swin_transformer", config: #"{"version": 2, "width": 4, "depths": [2], "heads": [2], "window": 3}"#),
  ]

  /// A checkpoint of the network with numbers that depend on their place.
  static func checkpoint(_ network: Network, at path: String, dtype: DType? = nil) throws {
    var description = NetworkDescription(
      family: network.family, config: try JSONDecoder().decode(JSONValue.self, from: Data(network.config.utf8)),
      classes: 5)
    description.foldedBatchNormalization = network.isFolded ? true : nil
    let graph = try description.graph()
    var stateDict = StateDict()
    for (index, parameter) in graph.parameters.enumerated() {
      let count = parameter.shape.reduce(1, *)
      let values = (0..<count).map { Float(($0 * 31 + index * 17) % 97) / 97 + (parameter.isBuffer ? 0.5 : -0.4) }
      stateDict[parameter.name] = try Tensor(
        dtype: .float32, shape: parameter.shape, storage: MemoryStorage(copying: values))
      if parameter.name.hasSuffix("running_var") {
        let counter = String(parameter.name.dropLast("running_var".count)) + "num_batches_tracked"
        stateDict[counter] = try Tensor(dtype: .int64, shape: [], storage: MemoryStorage(copying: [Int64(index)]))
      }
    }
    for buffer in graph.indexBuffers {
      stateDict[buffer.name] = try Tensor(
        dtype: .int64, shape: buffer.shape, storage: MemoryStorage(copying: buffer.values))
    }
    var metadata = CheckpointMetadata()
    metadata.config = description.json
    metadata.labels = ["a", "b", "ç", "d", "e"]
    metadata.input = """
      {"crop":\(network.size),"interpolation":"bilinear","mean":[0,0,0],"resize":\(network.size),\
      "size":[\(network.size),\(network.size)],"std":[1,1,1]}
      """
    metadata.source = #"{"file":"x.pth"}"#
    metadata.training = #"{"epochs":3}"#
    try CheckpointWriter.write(stateDict, metadata: metadata, to: path, dtype: dtype)
  }

  private func withNetwork(
    _ network: Network, dtype: DType? = nil, _ body: (TemporaryDirectory, ExportSource, Catalog) throws -> Void
  ) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let catalog = try Catalog(overlays: [])
    try Self.checkpoint(network, at: directory.file("x.safetensors"), dtype: dtype)
    try body(directory, ExportSource(path: directory.file("x.safetensors"), catalog: catalog), catalog)
  }

  private func expectSameCheckpoint(_ directory: TemporaryDirectory, _ catalog: Catalog) throws {
    _ = try Conversion(catalog: catalog).run(directory.file("x.onnx"), to: directory.file("back.safetensors"))
    #expect(
      FileManager.default.contentsEqual(
        atPath: directory.file("x.safetensors"), andPath: directory.file("back.safetensors")))
  }

  @Test(arguments: networks + [uneven] + transformers)
  func exportedModelConvertsBackToTheSameCheckpoint(_ network: Network) throws {
    try withNetwork(network) { directory, source, catalog in
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      try expectSameCheckpoint(directory, catalog)
      _ = try ONNXExporter.write(source, to: directory.file("again.onnx"), options: ExportOptions())
      #expect(
        FileManager.default.contentsEqual(atPath: directory.file("x.onnx"), andPath: directory.file("again.onnx")))
    }
  }

  @Test func aTensorThatNothingReadsIsNoStepsOutput() throws {
    try withNetwork(Self.networks[0]) { directory, source, _ in
      var stateDict = source.stateDict
      stateDict["conv1"] = try Tensor(
        dtype: .float32, shape: [5, 5], storage: MemoryStorage(copying: [Float](repeating: 1, count: 25)))
      let more = try ExportSource(path: source.path, stateDict: stateDict, metadata: source.metadata)
      _ = try ONNXExporter.write(more, to: directory.file("x.onnx"), options: ExportOptions())
      let model = try #require(WeightFile.open(path: directory.file("x.onnx")).onnx)
      #expect(model.graph.initializers["conv1"]?.shape == [5, 5])
      #expect(model.graph.nodes.contains { $0.operatorName == "Conv" && $0.inputs[1] == "conv1.weight" })
      #expect(Set(model.graph.nodes.flatMap(\.outputs)).isDisjoint(with: model.graph.initializers.names))
    }
  }

  @Test func exportOfACatalogueModelIsStillItsCheckpoint() throws {
    try withNetwork(Self.networks[0]) { directory, source, _ in
      try FileManager.default.createDirectory(atPath: directory.file("zoo"), withIntermediateDirectories: true)
      let model = """
        {"name": "tiny", "title": "T", "family": "resnet", "task": "image-classification",
         "config": \(Self.networks[0].config), "classes": 5, "input": {"size": [32, 32]}, "parameters": 1, "gflops": 1,
         "weights": []}
        """
      try model.write(toFile: directory.file("zoo/tiny.json"), atomically: true, encoding: .utf8)
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      try expectSameCheckpoint(directory, Catalog(overlays: [directory.path]))
    }
  }

  @Test(arguments: networks)
  func exportedGraphIsTheNetworkAgain(_ network: Network) throws {
    try withNetwork(network) { directory, source, _ in
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      let model = try #require(WeightFile.open(path: directory.file("x.onnx")).onnx)
      #expect(model.opsets == ["": 17])
      #expect(model.graph.inputs.map(\.shape) == [[-1, 3, network.size, network.size]])
      #expect(model.graph.inputs.first?.axes.first == "batch")
      #expect(model.graph.outputs.map(\.shape) == [[-1, 5]])
      let native = try #require(NativeNetwork(model))
      let graph = try #require(source.graph)
      let input = [1, 3, network.size, network.size]
      #expect(try native.graph.multiplyAdds(input: input) == graph.multiplyAdds(input: input))
      let match = try #require(StructuralMatch(model: graph, other: native.graph, input: input))
      #expect(match.names.allSatisfy { $0.key == $0.value })
    }
  }

  @Test(arguments: transformers)
  func exportedTransformersGiveTheEnginesLogits(_ network: Network) throws {
    try withNetwork(network) { directory, source, _ in
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      let model = try #require(WeightFile.open(path: directory.file("x.onnx")).onnx)
      let shape = [2, 3, network.size, network.size]
      let values = (0..<shape.reduce(1, *)).map { Float($0 * 37 % 101) / 50 - 1 }
      let tensor = try Tensor(dtype: .float32, shape: shape, storage: MemoryStorage(copying: values))
      let found = try #require(try ONNXProgram(model).run(["input": ONNXValue(tensor)])["logits"]?.tensor().floats())
      let graph = try #require(source.graph)
      let plan = try compile(graph, weights: source.stateDict.floatWeights(), inputShape: shape)
      let expected = try plan.run(FloatTensor(shape: shape, values: values))[0].values()
      let largest = expected.map(abs).max() ?? 0
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-4 * largest) }
    }
  }

  @Test(arguments: [DType.float16, .bfloat16, .float64])
  func otherPrecisionsAreKeptAndComputedInFloat32(_ dtype: DType) throws {
    try withNetwork(Self.networks[0], dtype: dtype) { directory, source, catalog in
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      let model = try #require(WeightFile.open(path: directory.file("x.onnx")).onnx)
      #expect(model.graph.initializers["fc.weight"]?.dtype == dtype)
      #expect(model.graph.nodes.contains { $0.operatorName == "Cast" && $0.inputs == ["fc.weight"] })
      try expectSameCheckpoint(directory, catalog)
    }
  }

  @Test func dataBeyondAMessagesLimitStandsInAFileOfItsOwn() throws {
    try withNetwork(Self.networks[0]) { directory, source, catalog in
      let written = try ONNXExporter.write(
        source, to: directory.file("x.onnx"), options: ExportOptions(), largestMessage: 1000)
      #expect(written.notes == ["its data is in x.onnx.data, which must stay beside it"])
      let file = try WeightFile.open(path: directory.file("x.onnx"))
      let ranges = file.stateDict.tensors.values.compactMap(\.storage.fileRange)
      #expect(ranges.count > 10)
      #expect(ranges.allSatisfy { $0.offset % 4096 == 0 && $0.file.path.hasSuffix("x.onnx.data") })
      try expectSameCheckpoint(directory, catalog)
    }
  }

  @Test func weightsThatAnotherProgramRenamedAreNotTakenForTheCheckpoint() throws {
    try withNetwork(Self.networks[0]) { directory, source, _ in
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
      var bytes = [UInt8](try Data(contentsOf: URL(filePath: directory.file("x.onnx"))))
      // The initializer's name and the node's input, but not the list of names in the metadata.
      let name = Array("conv1.weight".utf8)
      var places: [Int] = []
      for place in 0..<(bytes.count - name.count) where bytes[place..<(place + name.count)].elementsEqual(name) {
        if bytes[place - 1] == 12 { places.append(place) }
      }
      for place in places { bytes[place] = UInt8(ascii: "x") }
      try Data(bytes).write(to: URL(filePath: directory.file("y.onnx")))
      let file = try WeightFile.open(path: directory.file("y.onnx"))
      #expect(file.metadata["zoo.config"] == nil)
      #expect(file.metadata["zoo.labels"] != nil)
      #expect(file.stateDict["xonv1.weight"] != nil)
    }
  }

  @Test func aNetworkWithoutItsHeadAndWeightsOfNoNetworkAreRefused() throws {
    try withNetwork(Self.networks[0]) { directory, source, _ in
      var stateDict = source.stateDict
      stateDict["fc.bias"] = nil
      let headless = try ExportSource(path: "x", stateDict: stateDict, metadata: source.metadata)
      #expect(throws: ExportError.missingTensor(file: "x", tensor: "fc.bias")) {
        _ = try ONNXExporter.write(headless, to: directory.file("x.onnx"), options: ExportOptions())
      }
      let unknown = try ExportSource(path: "x", stateDict: stateDict, metadata: CheckpointMetadata())
      #expect(throws: ExportError.unknownNetwork(file: "x", target: .onnx)) {
        _ = try ONNXExporter.write(unknown, to: directory.file("x.onnx"), options: ExportOptions())
      }
      #expect(!FileManager.default.fileExists(atPath: directory.file("x.onnx")))
    }
  }

  @Test func aNetworkOfTextsIsRefused() throws {
    let checkpoint = try Checkpoint.open(path: Fixture.path("sequences/bert.safetensors"))
    let source = try ExportSource(path: "x", stateDict: checkpoint.stateDict, metadata: checkpoint.metadata)
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    #expect(throws: ExportError.operation(node: "embeddings.word_embeddings", target: .onnx)) {
      _ = try ONNXExporter.write(source, to: directory.file("x.onnx"), options: ExportOptions())
    }
    #expect(!FileManager.default.fileExists(atPath: directory.file("x.onnx")))
  }
}
