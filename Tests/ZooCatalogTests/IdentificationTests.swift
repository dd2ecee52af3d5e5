import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooCatalog

@Suite struct IdentificationTests {
  /// A state dict of the graph's names and shapes over no data.
  static func stateDict(_ graph: Graph, counters: Bool = true) throws -> StateDict {
    var stateDict = StateDict()
    let storage = MemoryStorage(copying: [Float(0)])
    for parameter in graph.parameters {
      stateDict[parameter.name] = try Tensor(
        dtype: .float32, shape: parameter.shape, strides: parameter.shape.map { _ in 0 }, storage: storage)
    }
    for counter in counters ? graph.stepCounters : [] {
      stateDict[counter] = try Tensor(
        dtype: .int64, shape: [], storage: MemoryStorage(copying: [Int64(0)]))
    }
    return stateDict
  }

  @Test func everyModelIsRecognisedAsItself() throws {
    let catalog = try Catalog(overlays: [])
    for model in catalog.models {
      let found = catalog.identify(try Self.stateDict(model.graph()))
      // Keras's Inception has the tensors of torchvision's without its auxiliary classifier, T5 1.1 those of FLAN-T5.
      let isTwin = ["keras_inception_v3", "t5_v1_1_base"].contains(model.name)
      let best = try #require(isTwin ? found.first { $0.model.name == model.name } : found.certain)
      #expect(best.model.name == model.name)
      #expect(best.isExact)
      let hasClasses = try model.graph().givesClasses
      #expect(best.classes == (hasClasses ? model.classes : 0))
      #expect(best.naming == model.naming)
    }
  }

  /// Models are left aside by the names of their kin's smallest, so every one must have most of them.
  @Test func everyModelResemblesItsKinsSmallest() throws {
    let catalog = try Catalog(overlays: [])
    let forms = NameForm.forms(of: Kin.smallest(of: catalog.models).flatMap(Candidate.all))
    for network in catalog.networks(of: catalog.models) {
      let known = try #require(forms[Kin(network.model)])
      let names = network.graph.parameters.map(\.name)
      let unlike = names.filter { !known.contains(NameForm.form($0)) }
      #expect(
        Double(unlike.count) <= NameForm.mostUnlike * Double(names.count), "\(network.model.name): \(unlike.prefix(5))")
    }
  }

  @Test(arguments: [
    ("layer1.0.conv1.weight", "#.conv#.weight"), ("conv1.weight", "conv#.weight"), ("fc", "fc"),
    ("encoder.layer.11.attention.self.query.weight", "self.query.weight"), ("h.10.ln_12.bias", "#.ln_#.bias"), ("", ""),
  ])
  func formsLeaveNumbersOut(name: String, form: String) { #expect(NameForm.form(name) == form) }

  @Test func resNet50With37ClassesIsStillAResNet50() throws {
    let catalog = try Catalog(overlays: [])
    let stateDict = try Self.stateDict(catalog.model(named: "resnet50").graph(classes: 37), counters: false)
    let best = try #require(catalog.identify(stateDict).certain)
    #expect(best.model.name == "resnet50")
    #expect(best.classes == 37)
    #expect(best.isExact)
  }

  @Test(arguments: ["resnet50", "keras_resnet50", "convnext_small", "convnext_base", "inception_v3"])
  func anotherHeadLeavesNoDoubt(name: String) throws {
    let catalog = try Catalog(overlays: [])
    let best = try #require(
      catalog.identify(Self.stateDict(catalog.model(named: name).graph(classes: 5), counters: false)).certain)
    #expect(best.model.name == name)
    #expect(best.classes == 5)
  }

  @Test func inceptionWithoutItsAuxiliaryClassifierIsTorchvisionsOrKerass() throws {
    let catalog = try Catalog(overlays: [])
    let whole = try catalog.model(named: "inception_v3")
    var stateDict = try Self.stateDict(whole.graph())
    for name in stateDict.names where name.hasPrefix("AuxLogits.") { stateDict[name] = nil }
    let found = catalog.identify(stateDict)
    #expect(found.certain == nil)
    #expect(found.prefix(2).map(\.model.name) == ["inception_v3", "keras_inception_v3"])
    for twin in found.prefix(2) { #expect(twin.isExact) }
    let description = try #require(found.first).description
    #expect(description.config["auxiliary"] == .bool(false))
    #expect(description.config["transformsInput"] == .bool(true))
    #expect(try description.graph().parameters.count == whole.graph().parameters.count - 12)
  }

  @Test func weightsWithoutHeadAreRecognisedAsSuch() throws {
    let catalog = try Catalog(overlays: [])
    var stateDict = try Self.stateDict(catalog.model(named: "resnet18").graph())
    stateDict["fc.weight"] = nil
    stateDict["fc.bias"] = nil
    let best = try #require(catalog.identify(stateDict).certain)
    #expect(best.model.name == "resnet18")
    #expect(best.isHeadless)
    #expect(best.absentStages == ["head"])
    #expect(best.classes == nil)
  }

  @Test func vggFeaturesAloneLackThreeStages() throws {
    let catalog = try Catalog(overlays: [])
    var stateDict = try Self.stateDict(catalog.model(named: "vgg16").graph())
    for name in stateDict.names where name.hasPrefix("classifier.") { stateDict[name] = nil }
    let best = try #require(catalog.identify(stateDict).certain)
    #expect(best.model.name == "vgg16")
    #expect(best.absentStages == ["fc6", "fc7", "head"])
  }

  @Test func strayAndMisshapenTensorsAreShown() throws {
    let catalog = try Catalog(overlays: [])
    var stateDict = try Self.stateDict(catalog.model(named: "resnet18").graph())
    stateDict["epoch"] = stateDict["layer1.0.bn1.num_batches_tracked"]
    stateDict["conv1.weight"] = try NameMapTests.tensor([64, 4, 7, 7])
    let found = catalog.identify(stateDict)
    let best = try #require(found.first)
    #expect(best.model.name == "resnet18")
    #expect(best.extra == ["epoch"])
    #expect(best.misshapen == [.init(name: "conv1.weight", expected: [64, 3, 7, 7], found: [64, 4, 7, 7])])
    #expect(found.certain == nil)
  }

  @Test func foreignNamingIsRecognisedAndMadeCanonical() throws {
    let catalog = try Catalog(overlays: [])
    let source = try NameMapTests.lite0()
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == "efficientnet_lite0")
    #expect(best.naming == "efficientnet-pytorch")
    #expect(best.isExact)
    let again = try #require(catalog.identify(best.canonical(source)).certain)
    #expect(again.naming == "timm")
    #expect(again.isExact)
  }

  @Test(arguments: [
    ("transformers", "resnet50"), ("timm", "vit_b_16"), ("timm", "swin_t"), ("transformers", "vit_b_16"),
  ])
  func otherLibrariesNamesAreRecognised(naming: String, model: String) throws {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_other_namings.json")))
    let list = try JSONDecoder().decode([String: [String: [Int]]].self, from: data)
    var source = StateDict()
    for (name, shape) in try #require(list["\(naming) \(model)"]).sorted(by: { $0.key < $1.key }) {
      source[name] = try Tensor(
        dtype: .float32, shape: shape, storage: VastStorage(bytes: shape.reduce(4, *)))
    }
    let catalog = try Catalog(overlays: [])
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == model)
    #expect(best.naming == naming)
    #expect(best.isExact)
    let canonical = try best.canonical(source)
    #expect(catalog.identify(canonical).certain?.naming == best.model.naming)
    let back = try #require(best.nameMap).apply(.exporting, to: canonical)
    #expect(back.unmatched == [])
    for (name, tensor) in source.tensors { #expect(back.stateDict[name]?.shape == tensor.shape) }
  }

  @Test func separateQueriesKeysAndValuesBecomeOneProjection() throws {
    let catalog = try Catalog(overlays: [])
    let map = try #require(catalog.nameMaps.first { $0.naming == "transformers" && $0.family == "vision_transformer" })
    var source = StateDict()
    for (index, part) in ["value", "query", "key"].enumerated() {
      let values = (0..<6).map { Float(index * 10 + $0) }
      source["vit.encoder.layer.3.attention.attention.\(part).weight"] = try Tensor(
        dtype: .float32, shape: [2, 3], storage: MemoryStorage(copying: values))
    }
    let renamed = try map.apply(.importing, to: source)
    let name = "encoder.layers.encoder_layer_3.self_attention.in_proj_weight"
    #expect(renamed.stateDict.names == [name])
    let whole = try #require(renamed.stateDict[name])
    #expect(whole.shape == [6, 3])
    #expect(try whole.floats() == [10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 0, 1, 2, 3, 4, 5])
    let back = try map.apply(.exporting, to: renamed.stateDict).stateDict
    for (name, tensor) in source.tensors { #expect(try back[name]?.floats() == tensor.floats()) }
    // A part alone stays what it was.
    var lonely = StateDict()
    lonely["vit.encoder.layer.0.attention.attention.key.bias"] = source.tensors.values.first
    #expect(try map.apply(.importing, to: lonely).unmatched == lonely.names)
  }

  @Test(arguments: [("vit_b_16", 384), ("vit_l_16", 512), ("vit_h_14", 224)])
  func positionsOfAnotherSizeAreAVariant(name: String, side: Int) throws {
    let catalog = try Catalog(overlays: [])
    let model = try catalog.model(named: name)
    let config = model.config.replacing(.object(["imageSize": .number(Double(side))]))
    let graph = try NetworkDescription(family: model.family, config: config, classes: 1000).graph()
    var source = StateDict()
    for parameter in graph.parameters {
      source[parameter.name] = try Tensor(
        dtype: .float32, shape: parameter.shape, storage: VastStorage(bytes: parameter.shape.reduce(4, *)))
    }
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == name)
    #expect(best.pictureSide == side)
    #expect(best.input.contains("\"size\":[\(side),\(side)]"))
  }

  @Test func namesOfTorchvisionsFirstTransformersAreRecognised() throws {
    let catalog = try Catalog(overlays: [])
    let graph = try catalog.model(named: "vit_b_32").graph()
    var source = StateDict()
    for parameter in graph.parameters {
      let name = parameter.name.replacing("mlp.0", with: "mlp.linear_1").replacing("mlp.3", with: "mlp.linear_2")
      source[name] = try Tensor(
        dtype: .float32, shape: parameter.shape, storage: VastStorage(bytes: parameter.shape.reduce(4, *)))
    }
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == "vit_b_32")
    #expect(try best.canonical(source).names == graph.parameters.map(\.name))
  }

  @Test func weightsOfWindowsGetTheirIndices() throws {
    let catalog = try Catalog(overlays: [])
    var source = StateDict()
    for parameter in try catalog.model(named: "swin_t").graph().parameters {
      source[parameter.name] = try Tensor(
        dtype: .float32, shape: parameter.shape, storage: VastStorage(bytes: parameter.shape.reduce(4, *)))
    }
    let canonical = try #require(catalog.identify(source).certain).canonical(source)
    let index = try #require(canonical["features.1.0.attn.relative_position_index"])
    #expect(index.dtype == .int64)
    #expect(index.shape == [2401])
    // Of pixels (0, 0) and (0, 0), (0, 0) and (0, 1), (6, 6) and (0, 0).
    let values = try index.withContiguousBytes { Array($0.bindMemory(to: Int64.self)) }
    #expect([values[0], values[1], values[48 * 49]] == [84, 83, 168])
  }

  @Test func modelsThatFitAlikeAreATie() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.file("zoo"), withIntermediateDirectories: true)
    let twin = """
      {"name": "resnet18_twin", "title": "Twin", "family": "resnet", "task": "image-classification",
       "config": {"block": "basic", "layers": [2, 2, 2, 2]}, "classes": 1000, "input": {"size": [224, 224]},
       "parameters": 1, "gflops": 1, "weights": []}
      """
    try twin.write(toFile: folder.file("zoo/twin.json"), atomically: true, encoding: .utf8)
    let catalog = try Catalog(overlays: [folder.path])
    let found = catalog.identify(try Self.stateDict(catalog.model(named: "resnet18").graph()))
    #expect(found.prefix(2).map(\.model.name) == ["resnet18", "resnet18_twin"])
    for twin in found.prefix(2) { #expect(twin.isExact) }
    #expect(found.certain == nil)
  }

  @Test func somethingElseIsNothing() throws {
    var stateDict = StateDict()
    stateDict["a"] = try NameMapTests.tensor([2])
    let catalog = try Catalog(overlays: [])
    #expect(catalog.identify(stateDict).isEmpty)
    #expect(catalog.identify(StateDict()).isEmpty)
  }
}

/// Many bytes that nobody reads.
private final class VastStorage: ByteStorage {
  let count: Int
  init(bytes: Int) { count = bytes }
  var fileRange: (file: MappedFile, offset: Int)? { nil }
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try body(UnsafeRawBufferPointer(start: nil, count: 0))
  }
}

@Suite struct ChecksumTests {
  static let rest = String(repeating: "0", count: 56)

  static func verdict(_ prefix: String, _ name: String? = nil) throws -> ChecksumVerdict {
    try Catalog(overlays: []).checksum(sha256: prefix + rest, fileName: name)
  }

  @Test func publishedFileIsNamed() throws {
    let verdict = try Self.verdict("11ad3fa6")
    let file = try #require(verdict.file)
    #expect(verdict == .published(file))
    #expect(file.file == "resnet50-11ad3fa6.pth")
    #expect(file.weights == "IMAGENET1K_V2")
    #expect(!file.isWhole)
  }

  @Test func olderFileNamesItsSuccessor() throws {
    let verdict = try Self.verdict("19c8e357")
    let file = try #require(verdict.file)
    #expect(verdict == .older(file))
    #expect(file.replacedBy == "resnet50-0676ba61.pth")
  }

  @Test func wholeDigestMustAgreeToItsLastDigit() throws {
    let catalog = try Catalog(overlays: [])
    let digest = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
    #expect(catalog.checksum(sha256: digest).file?.isWhole == true)
    #expect(catalog.checksum(sha256: String(digest.dropLast()) + "0") == .unknown)
  }

  @Test func filesPublishedWithAnMD5AreKnownByIt() throws {
    let catalog = try Catalog(overlays: [])
    let name = "/x/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
    let md5 = "2cb95161c43110f7111970584f804107"
    let sha256 = "ffffffff" + Self.rest
    #expect(catalog.wantsMD5(fileName: name))
    #expect(!catalog.wantsMD5(fileName: "resnet50-0676ba61.pth"))
    let verdict = catalog.checksum(sha256: sha256, md5: md5, fileName: name)
    #expect(verdict.file?.model == "keras_resnet50")
    #expect(verdict.file?.isWhole == true)
    #expect(verdict.file.map { verdict == .published($0) } == true)
    let other = catalog.checksum(sha256: sha256, md5: String(md5.dropLast()) + "0", fileName: name)
    #expect(other == .contradicted(promised: md5, by: verdict.file))
    #expect(catalog.checksum(sha256: md5 + String(repeating: "0", count: 32)) == .unknown)
  }

  @Test func digestsOfAFileAreTakenAsItsPublisherGivesThem() throws {
    let folder = try TemporaryDirectory()
    defer { folder.remove() }
    try FileManager.default.createDirectory(atPath: folder.file("checksums"), withIntermediateDirectories: true)
    // printf abc | md5sum
    let entry = #"{"file": "abc.h5", "md5": "900150983cd24fb0d6963f7d28e17f72", "model": "m", "weights": "w"}"#
    try #"{"publisher": "P", "files": [\#(entry)]}"#
      .write(toFile: folder.file("checksums/p.json"), atomically: true, encoding: .utf8)
    try "abc".write(toFile: folder.file("abc.h5"), atomically: true, encoding: .utf8)
    let catalog = try Catalog(overlays: [folder.path])
    let verdict = try catalog.checksum(of: MappedFile(path: folder.file("abc.h5")), fileName: folder.file("abc.h5"))
    #expect(verdict.file?.publisher == "P")
  }

  @Test func nameThatPromisesAnotherDigestIsContradicted() throws {
    let verdict = try Self.verdict("ffffffff", "/x/resnet50-0676ba61.pth")
    #expect(verdict.file?.model == "resnet50")
    #expect(verdict == .contradicted(promised: "0676ba61", by: verdict.file))
    #expect(try Self.verdict("ffffffff", "mine-abcdef01.pth") == .contradicted(promised: "abcdef01", by: nil))
    #expect(try Self.verdict("ffffffff", "mine-20240131.pth") == .unknown)
    #expect(try Self.verdict("ffffffff", "mine.pth") == .unknown)
    #expect(try Self.verdict("abcdef01", "mine-abcdef01.pth") == .unknown)
  }
}
