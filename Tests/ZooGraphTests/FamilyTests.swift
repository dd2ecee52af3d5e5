import Foundation
import TestSupport
import Testing
import ZooGraph

@Suite struct FamilyTests {
  struct Expected: Decodable {
    let parameters: Int
    let multiplyAdds: Double
    let shapes: [String: String]?
  }

  static func expected(_ name: String) throws -> Expected {
    let data = try Data(contentsOf: URL(filePath: Fixture.path("catalog_shapes.json")))
    return try #require(try JSONDecoder().decode([String: Expected].self, from: data)[name])
  }

  static func check(_ graph: Graph, against name: String, side: Int = 224) throws {
    let expected = try expected(name)
    var shapes = graph.parameters.reduce(into: [String: String]()) { shapes, parameter in
      shapes[parameter.name] = parameter.shape.map(String.init).joined(separator: "x")
    }
    for counter in graph.stepCounters { shapes[counter] = "" }
    for buffer in graph.indexBuffers { shapes[buffer.name] = buffer.shape.map(String.init).joined(separator: "x") }
    #expect(shapes == expected.shapes)
    #expect(graph.parameterCount == expected.parameters)
    #expect(try graph.multiplyAdds(input: [1, 3, side, side]) == expected.multiplyAdds)
  }

  @Test func alexNetHasTorchvisionsNamesAndShapes() throws {
    try Self.check(AlexNet.graph(AlexNet.Config(), classes: 1000), against: "alexnet")
  }

  @Test func resNet18HasTorchvisionsNamesAndShapes() throws {
    let config = ResNet.Config(block: .basic, layers: [2, 2, 2, 2])
    try Self.check(ResNet.graph(config, classes: 1000), against: "resnet18")
  }

  @Test func efficientNetLite0HasTimmsNamesAndShapes() throws {
    try Self.check(EfficientNetLite.graph(.init(), classes: 1000), against: "efficientnet_lite0")
  }

  @Test func convNeXtTinyHasTorchvisionsNamesAndShapes() throws {
    let config = ConvNeXt.Config(depths: [3, 3, 9, 3], widths: [96, 192, 384, 768])
    try Self.check(ConvNeXt.graph(config, classes: 1000), against: "convnext_tiny")
  }

  @Test func transformersHaveTorchvisionsNamesAndShapes() throws {
    let vit = VisionTransformer.Config(patch: 16, layers: 12, heads: 12, hiddenSize: 768, mlpSize: 3072)
    try Self.check(VisionTransformer.graph(vit, classes: 1000), against: "vit_b_16")
    var swin = SwinTransformer.Config(width: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], window: 7)
    try Self.check(SwinTransformer.graph(swin, classes: 1000), against: "swin_t")
    (swin.version, swin.window) = (2, 8)
    try Self.check(SwinTransformer.graph(swin, classes: 1000), against: "swin_v2_t", side: 256)
    let maxViT = MaxViT.Config(stem: 64, depths: [2, 2, 5, 2], widths: [64, 128, 256, 512])
    try Self.check(MaxViT.graph(maxViT, classes: 1000), against: "maxvit_t")
  }

  @Test func inceptionHasTorchvisionsNamesAndShapes() throws {
    try Self.check(InceptionV3.graph(.init(), classes: 1000), against: "keras_inception_v3", side: 299)
  }

  @Test func googLeNetsTwoAuxiliaryClassifiersHaveTensorsButNoCost() throws {
    let plain = try GoogLeNet.graph(.init(), classes: 9)
    let whole = try GoogLeNet.graph(.init(auxiliary: true), classes: 9)
    #expect(whole.nodes.count == plain.nodes.count)
    let names = Set(plain.parameters.map(\.name))
    let added = whole.parameters.filter { !names.contains($0.name) }
    #expect(Set(added.map { $0.name.prefix(5) }) == ["aux1.", "aux2."])
    #expect(added.filter { $0.name.hasSuffix("fc1.weight") }.map(\.shape) == [[1024, 2048], [1024, 2048]])
    #expect(added.filter { $0.name.hasSuffix("conv.conv.weight") }.map { $0.shape[1] } == [512, 528])
  }

  @Test func squeezeNetsHeadIsAConvolution() throws {
    let config = SqueezeNet.Config(stem: .init(channels: 8, kernel: 3), squeezes: [[2], [4]])
    let graph = try SqueezeNet.graph(config, classes: 7)
    #expect(graph.headModule == "classifier.1")
    #expect(graph.stages == ["stem", "block1", "block2", "head"])
  }

  @Test func theAuxiliaryClassifierHasTensorsButNoCost() throws {
    let plain = try InceptionV3.graph(.init(), classes: 9)
    let whole = try InceptionV3.graph(.init(auxiliary: true), classes: 9)
    #expect(whole.nodes.count == plain.nodes.count)
    let names = Set(plain.parameters.map(\.name))
    let added = whole.parameters.filter { !names.contains($0.name) }
    #expect(added.allSatisfy { $0.name.hasPrefix("AuxLogits.") })
    #expect(added.last?.shape == [9])
    #expect(whole.stepCounters.contains("AuxLogits.conv1.bn.num_batches_tracked"))
    #expect(try whole.multiplyAdds(input: [1, 3, 299, 299]) == plain.multiplyAdds(input: [1, 3, 299, 299]))
  }

  @Test func kerasResNetHasItsStrideInTheFirstConvolution() throws {
    func strides(_ graph: Graph, _ name: String) -> [Int]? {
      graph.nodes.compactMap { node in
        if case .convolution(let convolution) = node.operation, node.name == name { convolution.stride } else { nil }
      }.first
    }
    let plain = ResNet.Config(block: .bottleneck, layers: [1, 1])
    let keras = ResNet.Config(block: .bottleneck, layers: [1, 1], strideFirst: true, convolutionBias: true)
    let (a, b) = (try ResNet.graph(plain, classes: 3), try ResNet.graph(keras, classes: 3))
    #expect([strides(a, "layer2.0.conv1"), strides(a, "layer2.0.conv2")] == [[1, 1], [2, 2]])
    #expect([strides(b, "layer2.0.conv1"), strides(b, "layer2.0.conv2")] == [[2, 2], [1, 1]])
    #expect(b.parameters.contains { $0.name == "layer2.0.downsample.0.bias" && $0.shape == [512] })
  }

  @Test func oddPicturesPassThroughEveryFamily() throws {
    let graphs = [
      try AlexNet.graph(.init(), classes: 7),
      try VGG.graph(.init(blocks: [[8], [16]], hidden: 32), classes: 7),
      try ResNet.graph(.init(block: .bottleneck, layers: [1, 1, 1, 1]), classes: 7),
      try EfficientNetLite.graph(.init(), classes: 7),
      try InceptionV3.graph(.init(widthMultiplier: 0.1), classes: 7),
      try ConvNeXt.graph(.init(depths: [1, 2], widths: [8, 12]), classes: 7),
      try SqueezeNet.graph(.init(stem: .init(channels: 8, kernel: 3), squeezes: [[2], [4]]), classes: 7),
      try GoogLeNet.graph(.init(widthMultiplier: 0.1), classes: 7),
      try DenseNet.graph(.init(blocks: [2, 3], growth: 5, stem: 7), classes: 7),
      try MobileNetV2.graph(.init(), classes: 7),
      try MobileNetV3.graph(
        .init(blocks: [.init(kernel: 3, expanded: 9, channels: 8, squeezes: true)], hidden: 9), classes: 7),
      try MNASNet.graph(.init(widthMultiplier: 0.5), classes: 7),
      try ShuffleNetV2.graph(.init(channels: [24, 48, 96, 192, 1024]), classes: 7),
      try RegNet.graph(.init(depths: [1, 1], widths: [16, 24], groupWidth: 8, squeeze: 0.25), classes: 7),
      try EfficientNet.graph(.init(), classes: 7),
      try VisionTransformer.graph(.init(patch: 16, layers: 1, heads: 2, hiddenSize: 8, mlpSize: 8), classes: 7),
      try SwinTransformer.graph(.init(width: 8, depths: [1, 2], heads: [1, 2], window: 7), classes: 7),
    ]
    for graph in graphs {
      let shapes = try graph.inferShapes(input: [5, 3, 231, 231])
      #expect(graph.outputs.map { shapes[$0.index] } == [[5, 7]])
    }
  }

  @Test func headStageIsTheLastLinearLayerAlone() throws {
    let graph = try VGG.graph(.init(blocks: [[8], [16]], hidden: 32), classes: 7)
    #expect(graph.stages == ["stem", "block2", "fc6", "fc7", "head"])
    #expect(graph.headModule == "classifier.6")
    let head = graph.nodes.filter { $0.stage == 4 }
    #expect(head.flatMap(\.inputs).filter { graph.parametersByValue[$0] != nil }.count == 2)
  }

  @Test func stagesAddUpToTheNetwork() throws {
    let graph = try ResNet.graph(.init(block: .basic, layers: [2, 2, 2, 2]), classes: 1000)
    let summaries = try graph.stageSummaries(input: [1, 3, 224, 224])
    #expect(summaries.map(\.name) == ["stem", "layer1", "layer2", "layer3", "layer4", "head"])
    #expect(summaries.map(\.layers) == [1, 4, 5, 5, 5, 1])
    #expect(summaries.map(\.parameters).reduce(0, +) == 11_689_512)
    #expect(summaries.map(\.multiplyAdds).reduce(0, +) == 1_814_073_344)
    #expect(summaries[0].output == [1, 64, 56, 56])
    #expect(summaries[4].output == [1, 512])
    #expect(summaries[5].output == [1, 1000])
  }

  @Test func tinyResidualNetworkKeepsSmallPicturesLarge() throws {
    let config = ResNet.Config(
      block: .basic, layers: [1, 1, 1], width: 16, stem: .init(kernel: 3, stride: 1, maxPool: false))
    let graph = try ResNet.graph(config, classes: 10)
    let shapes = try graph.inferShapes(input: [1, 3, 32, 32])
    let sums = graph.nodes.filter { $0.operation == .add }.map { shapes[$0.output.index] }
    #expect(sums == [[1, 16, 32, 32], [1, 32, 16, 16], [1, 64, 8, 8]])
    #expect(graph.stages == ["stem", "layer1", "layer2", "layer3", "head"])
  }

  @Test func liteWidthsRoundAsPublished() throws {
    // EfficientNet-Lite2 is 1.1 wide and 1.2 deep: blocks.5 has 208 channels and 5 blocks (timm 1.0).
    let graph = try EfficientNetLite.graph(.init(widthMultiplier: 1.1, depthMultiplier: 1.2), classes: 10)
    let last = graph.parameters.last { $0.name.hasPrefix("blocks.5.") && $0.name.hasSuffix("conv_pwl.weight") }
    #expect(last?.name == "blocks.5.4.conv_pwl.weight")
    #expect(last?.shape == [208, 1248, 1, 1])
  }
}

@Suite struct FamilyConfigurationTests {
  static func build(_ family: String, _ json: String, classes: Int = 10) throws -> Graph {
    try NetworkFamilies.graph(family: family, config: Data(json.utf8), classes: classes)
  }

  @Test func jsonBuildsTheSameGraphAsSwift() throws {
    let json = #"{"block": "bottleneck", "layers": [1, 2], "groups": 2, "widthPerGroup": 4, "width": 32}"#
    let config = ResNet.Config(block: .bottleneck, layers: [1, 2], width: 32, groups: 2, widthPerGroup: 4)
    #expect(try Self.build("resnet", json) == ResNet.graph(config, classes: 10))
  }

  @Test func unknownFamilyNamesTheKnownOnes() {
    #expect(
      throws: FamilyError.unknown(
        family: "hotdog",
        known: [
          "alexnet", "vgg", "resnet", "efficientnet_lite", "inception_v3", "convnext", "fcn", "deeplabv3", "lraspp",
          "squeezenet",
          "googlenet", "densenet", "mobilenet_v2", "mobilenet_v3", "mnasnet", "shufflenet_v2", "regnet", "efficientnet",
          "vision_transformer", "swin_transformer", "maxvit", "bert", "roberta", "distilbert", "gpt2", "t5",
        ])
    ) {
      try Self.build("hotdog", "{}")
    }
  }

  @Test func misspeltFieldIsRefused() {
    #expect(throws: FamilyError.unreadable(family: "resnet", problem: "unknown field 'widthPerGrop'")) {
      try Self.build("resnet", #"{"block": "bottleneck", "layers": [1], "widthPerGrop": 128}"#)
    }
  }

  @Test(arguments: [
    ("resnet", "[]"), ("resnet", "nonsense"), ("resnet", "{}"), ("resnet", #"{"block": "round", "layers": [1]}"#),
    ("resnet", #"{"block": "basic", "layers": []}"#), ("resnet", #"{"block": "basic", "layers": [0]}"#),
    ("resnet", #"{"block": "basic", "layers": [1], "groups": 32}"#),
    ("resnet", #"{"block": "basic", "layers": [1], "width": -4}"#),
    ("resnet", #"{"block": "bottleneck", "layers": [1], "widthPerGroup": 9223372036854775807}"#),
    ("resnet", #"{"block": "bottleneck", "layers": [1,1,1,1,1,1,1,1], "width": 4096}"#),
    ("resnet", #"{"block": "basic", "layers": [1], "stem": {"kernel": 4, "stride": 1, "maxPool": false}}"#),
    ("vgg", #"{"blocks": []}"#), ("vgg", #"{"blocks": [[64], []]}"#), ("vgg", #"{"blocks": [[64]], "dropout": 1}"#),
    ("alexnet", #"{"channels": [1, 2]}"#), ("alexnet", #"{"hidden": 0}"#),
    ("resnet", #"{"block": "basic", "layers": [1], "strideFirst": true}"#),
    ("resnet", #"{"block": "bottleneck", "layers": [1], "epsilon": 0}"#),
    ("inception_v3", #"{"widthMultiplier": 0}"#), ("inception_v3", #"{"epsilon": -1}"#),
    ("inception_v3", #"{"dropout": 1}"#), ("convnext", "{}"), ("convnext", #"{"depths": [], "widths": []}"#),
    ("convnext", #"{"depths": [1, 1], "widths": [8]}"#), ("convnext", #"{"depths": [1], "widths": [0]}"#),
    ("convnext", #"{"depths": [1], "widths": [9223372036854775807]}"#),
    ("vision_transformer", "{}"),
    ("vision_transformer", #"{"patch": 16, "layers": 1, "heads": 3, "hiddenSize": 64, "mlpSize": 64}"#),
    ("vision_transformer", #"{"patch": 15, "layers": 1, "heads": 4, "hiddenSize": 64, "mlpSize": 64}"#),
    (
      "vision_transformer",
      #"{"patch": 1, "layers": 1, "heads": 4, "hiddenSize": 64, "mlpSize": 64, "imageSize": 16384}"#
    ),
    ("swin_transformer", #"{"width": 12, "depths": [1], "heads": [5], "window": 7}"#),
    ("swin_transformer", #"{"width": 12, "depths": [1, 1], "heads": [3], "window": 7}"#),
    ("swin_transformer", #"{"width": 12, "depths": [1], "heads": [3], "window": 1}"#),
    ("maxvit", #"{"stem": 8, "depths": [1], "widths": [40]}"#),
    ("maxvit", #"{"stem": 0, "depths": [1], "widths": [32]}"#),
    ("maxvit", #"{"stem": 8, "depths": [1], "widths": [32], "partition": 1}"#),
    ("swin_transformer", #"{"width": 12, "depths": [1], "heads": [3], "window": 7, "version": 3}"#),
    ("efficientnet_lite", #"{"widthMultiplier": 1e30}"#), ("efficientnet_lite", #"{"features": 0}"#),
    ("squeezenet", "{}"), ("squeezenet", #"{"stem": {"channels": 8, "kernel": 3}, "squeezes": []}"#),
    ("squeezenet", #"{"stem": {"channels": 8, "kernel": 3}, "squeezes": [[9223372036854775807]]}"#),
    ("googlenet", #"{"widthMultiplier": 0}"#), ("googlenet", #"{"dropout": 1}"#),
    ("densenet", #"{"blocks": []}"#), ("densenet", #"{"blocks": [1], "growth": 0}"#),
    ("densenet", #"{"blocks": [1], "stem": -1}"#), ("mobilenet_v2", #"{"widthMultiplier": 1e30}"#),
    ("mobilenet_v2", #"{"stages": [{"expansion": 1, "channels": 8, "repeats": 1, "stride": 3}]}"#),
    ("mobilenet_v3", #"{"blocks": [], "hidden": 8}"#),
    ("mobilenet_v3", #"{"blocks": [{"kernel": 4, "expanded": 8, "channels": 8}], "hidden": 8}"#),
    ("mnasnet", "{}"), ("mnasnet", #"{"widthMultiplier": 1, "repeats": [1]}"#),
    ("shufflenet_v2", #"{"channels": [8, 9, 8], "repeats": [1]}"#), ("shufflenet_v2", #"{"channels": [8]}"#),
    ("regnet", #"{"depths": [1], "widths": [20], "groupWidth": 8}"#),
    ("regnet", #"{"depths": [1, 1], "widths": [8], "groupWidth": 8}"#),
    ("regnet", #"{"depths": [1], "widths": [8], "groupWidth": 8, "squeeze": 0.001}"#),
    ("efficientnet", #"{"depthMultiplier": 1e9}"#), ("efficientnet", #"{"stages": []}"#),
    ("efficientnet", #"{"epsilon": 0}"#),
  ])
  func badConfigurationIsRefused(family: String, json: String) {
    #expect(throws: FamilyError.self) { try Self.build(family, json) }
  }

  @Test(arguments: [0, -1, Int.max]) func badNumberOfClassesIsRefused(classes: Int) {
    #expect(throws: FamilyError.self) {
      try Self.build("resnet", #"{"block": "basic", "layers": [1]}"#, classes: classes)
    }
  }
}
