/// The classification network that a segmentation network stands on, without its head and with its last stages dilated
/// instead of strided, so that they keep their size (arXiv:1706.05587, section 3.1).
public struct SegmentationBackbone: Codable, Sendable, Equatable {
  /// One of these.
  public var resnet: ResNet.Config?

  public init(resnet: ResNet.Config? = nil) {
    self.resnet = resnet
  }

  /// A value of the backbone and its channels.
  struct Feature {
    let value: ValueID
    let channels: Int
  }

  /// Adds the backbone under `backbone.`; gives its last value and the one that an auxiliary classifier reads.
  ///
  /// - Throws: ``FamilyError`` of family `family`.
  func features(_ b: inout GraphBuilder, family: String) throws(FamilyError) -> (last: Feature, auxiliary: Feature) {
    let check = ConfigCheck(family: family)
    guard let resnet else {
      throw .badField(family: family, field: "backbone", found: "none", expected: "resnet")
    }
    try check.require(
      resnet.layers.count >= 2, "backbone.resnet.layers", found: resnet.layers, expected: "two stages or more")
    try ResNet.check(resnet, classes: 1)
    let stages = b.scope("backbone") { b in ResNet.stages(&b, resnet, dilatedStages: 2) }
    return (stages[stages.count - 1], stages[stages.count - 2])
  }
}
