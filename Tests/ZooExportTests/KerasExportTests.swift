import Crypto
import Foundation
import TestSupport
import Testing
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph

@testable import ZooExport

@Suite struct KerasExportTests {
  /// What Keras says of its applications (`make_keras.py`).
  struct Facts: Decodable {
    let sha256: String
    let tensors: Int
    let shapes: [String: String]?
  }

  static func facts() throws -> [String: Facts] {
    try JSONDecoder().decode(
      [String: Facts].self, from: Data(contentsOf: URL(filePath: Fixture.path("keras_names.json"))))
  }

  private static func map(_ name: String, in catalog: Catalog) throws -> (NameMap, Model) {
    let map = try #require(catalog.nameMaps.first { $0.file.hasSuffix("keras/\(name).json") })
    return (map, try catalog.model(named: try #require(map.models?.first)))
  }

  /// A state dict of the model's names and shapes, one all over, in a few bytes.
  private static func stateDict(_ graph: Graph) throws -> StateDict {
    var stateDict = StateDict()
    let one = MemoryStorage(copying: [Float(1)])
    for parameter in graph.parameters {
      stateDict[parameter.name] = try Tensor(
        dtype: .float32, shape: parameter.shape, strides: parameter.shape.map { _ in 0 }, storage: one)
    }
    return stateDict
  }

  static let applications = [
    "vgg16", "vgg19", "resnet50", "resnet101", "resnet152", "inception_v3", "convnext_tiny", "convnext_small",
    "convnext_base", "convnext_large",
  ]

  @Test(arguments: applications)
  func pathsAndShapesAreThoseThatKerasWrites(_ name: String) throws {
    let catalog = try Catalog(overlays: [])
    let facts = try #require(try Self.facts()[name])
    let (map, model) = try Self.map(name, in: catalog)
    let layout = try KerasLayout(Self.stateDict(model.graph()), map: map, file: "x")
    let lines = layout.variables.map { "\($0):" + $1.shape.map(String.init).joined(separator: "x") }.sorted()
    if let shapes = facts.shapes { #expect(lines == shapes.map { "\($0):\($1)" }.sorted()) }
    #expect(lines.count == facts.tensors)
    let digest = SHA256.hash(data: Data(lines.joined(separator: "\n").utf8))
    #expect(digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == facts.sha256)
  }

  /// By Keras 3's names, by its counters, and as weights of Keras 2's lists are named.
  @Test(arguments: applications)
  func whatKerasWritesIsIdentified(_ name: String) throws {
    let catalog = try Catalog(overlays: [])
    let (map, model) = try Self.map(name, in: catalog)
    let canonical = try Self.stateDict(model.graph())
    let named = try map.exported(canonical).stateDict
    var counted = StateDict()
    for (name, tensor) in named.tensors {
      let dot = try #require(name.lastIndex(of: "."))
      let place = try #require(map.paths[String(name[..<dot])])
      counted[place.split(separator: "/").map { "layers." + $0 }.joined(separator: ".") + name[dot...]] = tensor
    }
    for stateDict in [named, counted] {
      let found = try #require(catalog.identify(stateDict).certain)
      #expect(found.model.name == model.name)
      #expect(found.isExact && found.naming == "keras" && found.classes == 1000)
      let back = try found.canonical(stateDict)
      #expect(back.names == canonical.names)
      for (name, tensor) in canonical.tensors { #expect(back[name]?.shape == tensor.shape, "\(name)") }
    }
  }

  @Test(arguments: applications)
  func filesWithoutTheClassifierAreIdentified(_ name: String) throws {
    let catalog = try Catalog(overlays: [])
    let (map, model) = try Self.map(name, in: catalog)
    var headless = StateDict()
    for (name, tensor) in try map.exported(Self.stateDict(model.graph())).stateDict.tensors {
      if ["predictions", "fc1", "fc2"].contains(where: { name.hasPrefix($0 + ".") }) || name.contains("_head_dense.") {
        continue
      }
      // ConvNeXt's last norm has no name of its own without the classifier.
      headless[
        name.contains("_head_layernorm.")
          ? "layer_normalization_7" + name.suffix(from: name.lastIndex(of: ".") ?? name.startIndex) : name] =
        tensor
    }
    let found = try #require(catalog.identify(headless).certain)
    #expect(found.model.name == model.name)
    #expect(found.isHeadless && found.classes == nil)
    #expect(found.absentStages == (name.hasPrefix("vgg") ? ["fc6", "fc7", "head"] : ["head"]))
    #expect(try found.canonical(headless).count > 0)
  }

  @Test func oldNamesOfResNet50AreIdentified() throws {
    let catalog = try Catalog(overlays: [])
    let (map, model) = try Self.map("resnet50", in: catalog)
    var old = StateDict()
    for (name, tensor) in try map.exported(Self.stateDict(model.graph())).stateDict.tensors {
      old[try #require(Self.oldName(name))] = tensor
    }
    let found = try #require(catalog.identify(old).certain)
    #expect(found.model.name == "keras_resnet50" && found.isExact)
  }

  /// `res2a_branch2a.kernel` for `conv2_block1_1_conv.kernel`.
  private static func oldName(_ name: String) -> String? {
    let ends = ["conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"]
    let parts = name.split(separator: ".")
    if let end = ends[String(parts[0])] { return end + "." + parts[1] }
    let words = parts[0].split(separator: "_")
    guard words.count == 4, let block = Int(words[1].dropFirst("block".count)) else { return nil }
    let branch = ["0": "1", "1": "2a", "2": "2b", "3": "2c"][String(words[2])] ?? ""
    let letter = ["a", "b", "c", "d", "e", "f"][block - 1]
    return (words[3] == "conv" ? "res" : "bn") + "\(words[0].dropFirst(4))\(letter)_branch\(branch).\(parts[1])"
  }
}

/// Whole files, out and in again.
@Suite struct KerasFileTests {
  private static func source(_ network: String, _ model: String, _ config: String) throws -> ExportSource {
    let file = try WeightFile.open(path: Fixture.path("keras/\(network).weights.h5"))
    let catalog = try Catalog(overlays: [])
    let map = try #require(catalog.nameMaps.first { $0.naming == "keras" && $0.models?.contains(model) == true })
    var metadata = CheckpointMetadata()
    metadata.model = model
    metadata.config = config
    metadata.labels = ["a", "b\u{1B}", "ç", "d", "e"]
    metadata.input = #"{"size":[32,32]}"#
    return try ExportSource(
      path: network, stateDict: map.apply(.importing, to: file.stateDict).stateDict, metadata: metadata)
  }

  static let resnet = (
    "resnet", "keras_resnet50",
    #"{"family":"resnet","config":{"block":"bottleneck","layers":[2,2],"width":4,"strideFirst":true,"convolutionBias":true,"epsilon":1.001e-5},"classes":5}"#
  )
  static let convnext = (
    "convnext", "convnext_tiny", #"{"family":"convnext","config":{"depths":[1,2,1,1],"widths":[4,6,8,10]},"classes":5}"#
  )

  @Test(arguments: [resnet, convnext])
  func exportedFileGivesTheSameWeightsUnderKerassNames(_ network: (String, String, String)) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let source = try Self.source(network.0, network.1, network.2)
    let path = directory.file("x.weights.h5")
    let written = try KerasExporter.write(source, to: path, options: ExportOptions())
    #expect(try MappedFile(path: path).count == written.bytes)
    let original = try WeightFile.open(path: Fixture.path("keras/\(network.0).weights.h5")).stateDict
    let found = try WeightFile.open(path: path)
    #expect(found.skipped.isEmpty)
    #expect(found.stateDict.names.sorted() == original.names.sorted())
    for (name, tensor) in original.tensors {
      let other = try #require(found.stateDict[name])
      #expect(other.shape == tensor.shape && other.dtype == tensor.dtype)
      let bytes = try tensor.withContiguousBytes { [UInt8]($0) }
      #expect(try bytes == other.withContiguousBytes { [UInt8]($0) }, "\(name)")
    }
    #expect(CheckpointMetadata(found.metadata).labels == source.metadata.labels)
    #expect(CheckpointMetadata(found.metadata).input == source.metadata.input)
    _ = try KerasExporter.write(source, to: directory.file("y"), options: ExportOptions())
    #expect(FileManager.default.contentsEqual(atPath: path, andPath: directory.file("y")), "the same bytes each time")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["x.weights.h5", "y"])
  }

  @Test(arguments: [DType.float64, .float16, .bfloat16])
  func floatingPointTypesAreWrittenAsAsked(_ dtype: DType) throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    let source = try Self.source(Self.convnext.0, Self.convnext.1, Self.convnext.2)
    let path = directory.file("x.weights.h5")
    _ = try KerasExporter.write(source, to: path, options: ExportOptions(dtype: dtype))
    let original = try WeightFile.open(path: Fixture.path("keras/convnext.weights.h5")).stateDict
    for (name, tensor) in try WeightFile.open(path: path).stateDict.tensors {
      #expect(tensor.dtype == dtype)
      for (value, wanted) in zip(try tensor.floats(), try #require(original[name]).floats()) {
        #expect(abs(value - wanted) <= abs(wanted) / 128)
      }
    }
  }

  @Test func whatKerasHasNoNetworkForIsRefusedByName() throws {
    let directory = try TemporaryDirectory()
    defer { directory.remove() }
    var metadata = CheckpointMetadata()
    metadata.model = "resnet18"
    metadata.config = try Catalog(overlays: []).model(named: "resnet18").description().json
    let source = try ExportSource(path: "r.pth", stateDict: StateDict(), metadata: metadata)
    let error = try #require(throws: KerasExportError.self) {
      _ = try KerasExporter.write(source, to: directory.file("x"), options: ExportOptions())
    }
    #expect(error.report.line.hasPrefix("r.pth: is resnet18, which Keras Applications doesn't have"))
    #expect(error.report.line.contains("keras_resnet50"))
    let stranger = try ExportSource(path: "s", stateDict: StateDict(), metadata: CheckpointMetadata())
    #expect(throws: KerasExportError.self) {
      _ = try KerasExporter.write(stranger, to: directory.file("x"), options: ExportOptions())
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
  }

  @Test func scaleThatKerasLeavesOutMustBeOne() throws {
    let catalog = try Catalog(overlays: [])
    let map = try #require(catalog.nameMaps.first { $0.file.hasSuffix("keras/inception_v3.json") })
    var stateDict = StateDict()
    stateDict["Conv2d_1a_3x3.bn.weight"] = try Tensor(
      dtype: .float32, shape: [2], storage: MemoryStorage(copying: [Float(1), 1]))
    #expect(try map.exported(stateDict).constant == ["Conv2d_1a_3x3.bn.weight"])
    stateDict["Conv2d_1a_3x3.bn.weight"] = try Tensor(
      dtype: .float32, shape: [2], storage: MemoryStorage(copying: [Float(1), 0.5]))
    #expect(throws: CatalogError.self) { _ = try map.exported(stateDict) }
  }
}
