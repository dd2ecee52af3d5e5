/// The classification network that a segmentation network stands on, without its head and with its last stages dilated
/// instead of strided, so that they keep their size (arXiv:1706.05587, section 3.1): two of ResNet's, MobileNetV3's last.
public enum SegmentationBackbone: Codable, Sendable, Equatable {
  case resnet(ResNet.Config)
  case mobilenetV3(MobileNetV3.Config)

  private enum CodingKeys: String, CodingKey {
    case resnet, mobilenetV3
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    if let config = try fields.decodeIfPresent(ResNet.Config.self, forKey: .resnet) {
      self = .resnet(config)
    } else {
      self = .mobilenetV3(try fields.decode(MobileNetV3.Config.self, forKey: .mobilenetV3))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .resnet(let config): try fields.encode(config, forKey: .resnet)
    case .mobilenetV3(let config): try fields.encode(config, forKey: .mobilenetV3)
    }
  }

  /// A value of the backbone and its channels.
  struct Feature {
    let value: ValueID
    let channels: Int
  }

  /// Adds the backbone under `backbone.`; gives its last value and an earlier one, which an auxiliary classifier or a
  /// second branch reads: of ResNet the last stage but one, of MobileNetV3 the one of an eighth of the picture's size.
  ///
  /// - Throws: ``FamilyError`` of family `family`.
  func features(_ b: inout GraphBuilder, family: String) throws(FamilyError) -> (last: Feature, earlier: Feature) {
    let check = ConfigCheck(family: family)
    switch self {
    case .resnet(let config):
      try check.require(
        config.layers.count >= 2, "backbone.resnet.layers", found: config.layers, expected: "two stages or more")
      try check.require(
        config.block == .bottleneck, "backbone.resnet.block", found: config.block.rawValue, expected: "bottleneck")
      try ResNet.check(config, classes: 1)
      let stages = b.scope("backbone") { b in ResNet.stages(&b, config, dilatedStages: 2) }
      return (stages[stages.count - 1], stages[stages.count - 2])
    case .mobilenetV3(let config):
      try MobileNetV3.check(config, classes: 1)
      // The stem, the blocks that shrink, and the last convolution.
      let shrinking = config.blocks.indices.filter { config.blocks[$0].stride == 2 }.map { $0 + 1 }
      try check.require(
        shrinking.count >= 3, "backbone.mobilenetV3.blocks", found: "\(shrinking.count) of stride 2",
        expected: "3 or more")
      let made = b.scope("backbone") { b in MobileNetV3.features(&b, config, dilatesLastStage: true) }
      return (made[made.count - 1], made[shrinking[shrinking.count - 3]])
    }
  }
}
