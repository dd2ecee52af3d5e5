/// Lite reduced atrous spatial pyramid pooling: Howard et al., "Searching for MobileNetV3", 2019 (arXiv:1905.02244),
/// figure 10, as torchvision has it; logits [N, classes, H, W] at the picture's own size.
public enum LRASPP: NetworkFamily {
  public static let name = "lraspp"
  public static var task: NetworkTask { .imageSegmentation }

  public struct Config: Codable, Sendable, Equatable {
    public var backbone: SegmentationBackbone
    /// Channels between the backbone and the classes; default 128.
    public var width: Int?

    public init(backbone: SegmentationBackbone, width: Int? = nil) {
      self.backbone = backbone
      self.width = width
    }
  }

  public static func graph(_ config: Config, classes: Int) throws(FamilyError) -> Graph {
    let check = ConfigCheck(family: name)
    let width = config.width ?? 128
    try check.require(classes, in: ConfigCheck.classes, "classes")
    try check.require(width, in: 1...16_384, "width")
    var b = GraphBuilder()
    let (last, earlier) = try config.backbone.features(&b, family: name)
    b.beginStage("head")
    let logits = b.scope("classifier") { b in
      var x = b.convolutionBlock("cbr", last.value, from: last.channels, to: width, kernel: 1, activation: .relu)
      let means = b.adaptiveAveragePool(last.value, height: 1, width: 1)
      let gates = b.activation(.sigmoid, b.convolution("scale.1", means, from: last.channels, to: width, kernel: 1))
      x = b.resize(b.gate(x, by: gates), like: earlier.value)
      let low = b.convolution(
        "low_classifier", earlier.value, from: earlier.channels, to: classes, kernel: 1, bias: true)
      return b.sum(low, b.convolution("high_classifier", x, from: width, to: classes, kernel: 1, bias: true))
    }
    return b.finish(outputs: [b.resize(logits, like: b.input)])
  }
}
