import Foundation
import TestSupport
import Testing
import ZooCheckpoint
import ZooGraph

@testable import ZooCatalog

/// What a `config.json` beside the weights says beyond names and shapes.
@Suite struct PublisherSettingsTests {
  /// A model's tensors as a library names them.
  static func foreign(_ name: String, _ naming: String, catalog: Catalog) throws -> StateDict {
    let model = try catalog.model(named: name)
    let map = try #require(catalog.nameMaps.first { $0.naming == naming && $0.fits(model) })
    let ours = try IdentificationTests.stateDict(model.graph(), counters: false)
    return try map.hasOwnNames ? map.apply(.exporting, to: ours).stateDict : ours
  }

  static func identified(_ name: String, _ naming: String, _ settings: String?) throws -> [Identification] {
    let catalog = try Catalog(overlays: [])
    let json = try settings.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    return try catalog.identify(foreign(name, naming, catalog: catalog), settings: json)
  }

  /// The epsilons of a graph's normalisations, in order.
  static func epsilons(_ graph: Graph) -> [Float] {
    graph.nodes.compactMap { node in
      switch node.operation {
      case .batchNormalization(let epsilon, _), .layerNormalization(_, let epsilon): epsilon
      default: nil
      }
    }
  }

  @Test(
    arguments: [
      ("vit_b_16", "transformers", nil, 1e-12), ("vit_b_16", "transformers", #"{"layer_norm_eps": 1e-6}"#, 1e-6),
      ("vit_b_16", "timm", nil, 1e-6), ("mobilenet_v3_small", "timm", nil, 1e-5),
      ("mobilenet_v3_large", "timm", #"{"architecture": "tf_mobilenetv3_large_100"}"#, 1e-3),
      ("efficientnet_b0", "timm", #"{"architecture": "tf_efficientnet_b0"}"#, 1e-3),
      ("efficientnet_b5", "timm", nil, 1e-5), ("efficientnet_v2_s", "timm", nil, 1e-5),
      ("efficientnet_b1", "transformers", nil, 1e-3), ("mobilenet_v2", "transformers", nil, 1e-3),
      ("mobilenet_v2", "timm", nil, 1e-5), ("swin_t", "transformers", nil, 1e-5),
    ] as [(String, String, String?, Float)])
  func normalisationsHaveThePublishersEpsilon(
    name: String, naming: String, settings: String?, epsilon: Float
  ) throws {
    let best = try #require(try Self.identified(name, naming, settings).certain)
    #expect(best.model.name == name)
    #expect(best.naming == naming)
    let found = Self.epsilons(try best.description.graph())
    #expect(!found.isEmpty)
    #expect(found.allSatisfy { $0 == epsilon }, "\(found)")
  }

  @Test func convNeXtOfTransformersHasAnEpsilonOfItsOwnInTheHeadAlone() throws {
    let best = try #require(try Self.identified("convnext_tiny", "transformers", nil).certain)
    let found = Self.epsilons(try best.description.graph())
    #expect(found.last == 1e-12)
    #expect(found.dropLast().allSatisfy { $0 == 1e-6 })
    #expect(best.ownSettings == ["headEpsilon 1e-12"])
  }

  @Test(arguments: [
    ("efficientnet_b0", "timm", #"{"architecture": "tf_efficientnet_b0"}"#, true),
    ("efficientnet_b0", "timm", #"{"architecture": "efficientnet_b0"}"#, false),
    ("mobilenet_v2", "transformers", #"{"tf_padding": true}"#, true),
    ("mobilenet_v2", "transformers", #"{"tf_padding": false}"#, false),
    ("efficientnet_b0", "transformers", "{}", true),
  ])
  func paddingIsThePublishers(name: String, naming: String, settings: String, isSame: Bool) throws {
    let best = try #require(try Self.identified(name, naming, settings).certain)
    let paddings = try best.description.graph().nodes.compactMap { node in
      if case .convolution(let convolution) = node.operation, convolution.stride != [1, 1] {
        convolution.padding == .same
      } else {
        Bool?.none
      }
    }
    #expect(paddings.count == 5)
    #expect(paddings.allSatisfy { $0 == isSame })
  }

  @Test(arguments: [
    ("vit_b_16", "transformers", #"{"hidden_act": "quick_gelu"}"#, "hidden_act quick_gelu"),
    ("vit_b_16", "transformers", #"{"layer_norm_eps": "small"}"#, "layer_norm_eps"),
    ("vit_b_16", "transformers", #"{"layer_norm_eps": -1}"#, "can't be built"),
    ("swin_v2_t", "transformers", #"{"window_size": 16}"#, "window_size 16"),
    ("swin_v2_t", "timm", #"{"architecture": "swinv2_tiny_window16_256"}"#, "swinv2_tiny_window16_256"),
    ("resnet50", "timm", #"{"architecture": "resnetaa50"}"#, "resnetaa50"),
    ("resnet18", "timm", #"{"architecture": "resnetblur18"}"#, "resnetblur18"),
    ("efficientnet_b0", "timm", #"{"architecture": "efficientnet_blur_b0"}"#, "efficientnet_blur_b0"),
    ("efficientnet_lite0", "timm", #"{"architecture": "efficientnet_lite0"}"#, "efficientnet_lite0"),
  ])
  func anotherNetworkOfTheSameNamesIsSaidToDiffer(
    name: String, naming: String, settings: String, words: String
  ) throws {
    let found = try Self.identified(name, naming, settings)
    #expect(found.certain == nil)
    let best = try #require(found.first)
    #expect(best.model.name == name)
    #expect(!best.isExact)
    #expect(best.missing + best.extra == [])
    #expect(best.differences.contains { $0.contains(words) }, "\(best.differences)")
  }

  @Test(arguments: [
    ("resnet50", "resnet50"), ("densenet121", "densenet121"), ("efficientnet_lite0", "tf_efficientnet_lite0"),
  ])
  func namesThatAreTimmsTooAreTheModels(name: String, architecture: String) throws {
    let best = try #require(try Self.identified(name, "timm", #"{"architecture": "\#(architecture)"}"#).certain)
    #expect(best.model.name == name)
    #expect(best.ownSettings == [])
  }

  @Test func timmsInceptionIsNotKerassAndTakesPicturesAsTheyAre() throws {
    let catalog = try Catalog(overlays: [])
    var source = try Self.foreign("inception_v3", "timm", catalog: catalog)
    for name in source.names where name.hasPrefix("AuxLogits.") { source[name] = nil }
    let best = try #require(
      catalog.identify(source, settings: .object(["architecture": .string("inception_v3")])).certain)
    #expect(best.model.name == "inception_v3")
    #expect(best.description.config["transformsInput"] == .bool(false))
    #expect(best.ownInput?.contains("\"mean\":[0.5,0.5,0.5]") == true)
  }

  @Test func picturesArePreparedAsTimmsConfigSays() throws {
    let settings = """
      {"architecture": "deit_base_patch16_224", "pretrained_cfg": {"input_size": [3, 224, 224], "crop_pct": 0.9,
       "interpolation": "bicubic", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "crop_mode": "center"}}
      """
    let best = try #require(try Self.identified("vit_b_16", "timm", settings).certain)
    let input = try JSONDecoder().decode(JSONValue.self, from: Data(#require(best.ownInput).utf8))
    #expect(input["mean"] == .array([.number(0.485), .number(0.456), .number(0.406)]))
    // timm.data.create_transform: floor(224 / 0.9).
    #expect(input["resize"] == .number(248))
    let otherwise = try Self.identified("vit_b_16", "timm", #"{"pretrained_cfg": {"crop_pct": 0}}"#)
    #expect(try #require(otherwise.certain).ownInput?.contains("[0.5,0.5,0.5]") == true)
  }

  @Test func whatNoFileTellsIsACaution() throws {
    let bare = try #require(try Self.identified("efficientnet_b0", "timm", nil).certain)
    #expect(bare.caution?.contains("tf_efficientnet_b0") == true)
    let described = try Self.identified("efficientnet_b0", "timm", #"{"architecture": "efficientnet_b0"}"#)
    #expect(try #require(described.certain).caution == nil)
  }

  @Test(arguments: ["timm", "transformers", "microsoft"])
  func swinV2GetsItsCoordinatesAndTheBiasOfKeysThatIsZero(naming: String) throws {
    let catalog = try Catalog(overlays: [])
    var source = try Self.foreign("swin_v2_t", naming, catalog: catalog)
    let prefix =
      naming == "transformers" ? "swinv2.encoder.layers.0.blocks.0.attention.self." : "layers.0.blocks.0.attn."
    let (query, value) = naming == "transformers" ? ("query.bias", "value.bias") : ("q_bias", "v_bias")
    for (name, number) in [(query, Float(1)), (value, Float(2))] {
      let values = MemoryStorage(copying: [Float](repeating: number, count: 96))
      #expect(source[prefix + name]?.shape == [96])
      source[prefix + name] = try Tensor(dtype: .float32, shape: [96], storage: values)
    }
    if naming == "microsoft" { source["layers.0.blocks.1.attn_mask"] = try NameMapTests.tensor([64, 64, 64]) }
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == "swin_v2_t")
    #expect(best.naming == naming)
    let canonical = try best.canonical(source)
    #expect(
      try canonical["features.1.0.attn.qkv.bias"]?.floats()
        == [Float](repeating: 1, count: 96) + [Float](repeating: 0, count: 96) + [Float](repeating: 2, count: 96))
    #expect(canonical["features.1.0.attn.relative_coords_table"]?.shape == [1, 15, 15, 2])
    source[prefix + query] = nil
    source[prefix + value] = nil
    #expect(catalog.identify(source).certain == nil)
  }

  @Test func coordinatesAreThoseOfTorchvision() throws {
    let recorded = try Checkpoint.open(path: Fixture.path("engine/swin_v2.safetensors")).stateDict
    var held = 0
    for (name, tensor) in recorded.tensors where name.hasPrefix("weight.") && name.hasSuffix("relative_coords_table") {
      let values = CoordinateTable(name: name, shape: tensor.shape).values
      let expected = try tensor.floats()
      #expect(values.count == expected.count)
      #expect(zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-6 })
      held += 1
    }
    #expect(held > 0)
  }

  @Test func aBiasOfKeysThatIsNotZeroIsNotExported() throws {
    let catalog = try Catalog(overlays: [])
    let map = try #require(catalog.nameMaps.first { $0.naming == "timm" && $0.zeroParts != [] })
    var ours = StateDict()
    ours["features.1.0.attn.qkv.bias"] = try NameMapTests.tensor([6])
    #expect(throws: CatalogError.notConstant(map: map.file, tensor: "features.1.0.attn.qkv.bias", value: 0)) {
      try map.apply(.exporting, to: ours)
    }
  }

  @Test func swinFilesOfItsAuthorsEndStagesWithTheirMergingAndCarryMasks() throws {
    let catalog = try Catalog(overlays: [])
    var source = try Self.foreign("swin_t", "microsoft", catalog: catalog)
    #expect(source["layers.0.downsample.reduction.weight"]?.shape == [192, 384])
    source["layers.0.blocks.1.attn_mask"] = try NameMapTests.tensor([64, 49, 49])
    source["layers.0.blocks.0.attn.relative_position_index"] = try NameMapTests.tensor([49, 49])
    let best = try #require(catalog.identify(source).certain)
    #expect(best.model.name == "swin_t")
    #expect(best.naming == "microsoft")
    #expect(best.isExact)
    let canonical = try best.canonical(source)
    #expect(canonical["layers.0.blocks.1.attn_mask"] == nil)
    #expect(canonical["features.1.0.attn.relative_position_index"]?.shape == [2401])
  }
}
