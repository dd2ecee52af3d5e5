/// Fully convolutional networks for semantic segmentation: Long et al., 2014 (arXiv:1411.4038), on a dilated backbone as
/// torchvision has them; logits [N, classes, H, W] at the picture's own size.
public enum FCN: NetworkFamily {
  public static let name = "fcn"

  public static var task: NetworkTask { .imageSegmentation }

  public struct Config: AuxiliaryConfig, Equatable {
    public var backbone: SegmentationBackbone
    /// Whether the state dict holds the auxiliary classifier, which only training uses; default false.
    public var auxiliary: Bool?

    public init(backbone: SegmentationBackbone, auxiliary: Bool? = nil) {
      self.backbone = backbone
      self.auxiliary = auxiliary
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    try ConfigCheck(family: name).require(classes, in: ConfigCheck.classes, "classes")
    var b = GraphBuilder()
    let (last, earlier) = try config.backbone.features(&b, family: name)
    b.beginStage("head")
    let logits = b.scope("classifier") { b in
      SegmentationHeads.fullyConvolutional(&b, last.value, from: last.channels, classes: classes)
    }
    if config.auxiliary == true { SegmentationHeads.addAuxiliary(&b, reading: earlier, classes: classes) }
    return b.finish(outputs: [b.resize(logits, like: b.input)])
  }
}
