/// DeepLab v3: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017 (arXiv:1706.05587), as
/// torchvision has it; logits [N, classes, H, W] at the picture's own size.
public enum DeepLabV3: NetworkFamily {
  public static let name = "deeplabv3"

  public static var task: NetworkTask { .imageSegmentation }

  public struct Config: AuxiliaryConfig, Equatable {
    public var backbone: SegmentationBackbone
    /// Whether the state dict holds the auxiliary classifier, which only training uses; default false.
    public var auxiliary: Bool?
    /// Channels of each branch of the pyramid; default 256.
    public var width: Int?
    /// Dilations of the pyramid's 3×3 convolutions; default 12, 24, 36, those of output stride 8.
    public var rates: [Int]?

    public init(backbone: SegmentationBackbone, auxiliary: Bool? = nil, width: Int? = nil, rates: [Int]? = nil) {
      self.backbone = backbone
      self.auxiliary = auxiliary
      self.width = width
      self.rates = rates
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let check = ConfigCheck(family: name)
    let (width, rates) = (config.width ?? 256, config.rates ?? [12, 24, 36])
    try check.require(classes, in: ConfigCheck.classes, "classes")
    try check.require(width, in: 1...16_384, "width")
    try check.require(rates.count, in: 1...16, "number of rates")
    for rate in rates { try check.require(rate, in: 1...1_024, "rates") }
    var b = GraphBuilder()
    let (last, earlier) = try config.backbone.features(&b, family: name)
    b.beginStage("head")
    let logits = b.scope("classifier") { b in
      SegmentationHeads.pyramid(
        &b, last.value, from: last.channels, width: width, rates: rates, classes: classes)
    }
    if config.auxiliary == true { SegmentationHeads.addAuxiliary(&b, reading: earlier, classes: classes) }
    return b.finish(outputs: [b.resize(logits, like: b.input)])
  }
}
