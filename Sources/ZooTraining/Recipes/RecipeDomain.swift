extension Recipe {
  /// What is learnt from, which decides the values that a recipe's user leaves out.
  public enum Domain: Sendable, Equatable {
    /// Something to say of each picture.
    case pictures
    /// A class for each pixel.
    case pixels
    case texts(TextPurpose)

    var usualKind: Kind {
      switch self {
      case .pictures, .pixels, .texts(.classes): .head
      case .texts: .full
      }
    }

    struct Defaults {
      let epochs: Int
      let batchSize: Int
      let learningRate: Double
      let weightDecay: Double
      let headEpochs: Int?
    }

    func defaults(_ kind: Kind, _ optimizer: Method) -> Defaults {
      switch self {
      case .pictures: Self.pictures(kind, isAdamW: optimizer == .adamw)
      case .pixels: Self.pixels(isAdamW: optimizer == .adamw)
      case .texts: Self.texts(kind, isAdamW: optimizer == .adamw)
      }
    }

    /// For small data: a head alone learns in many cheap epochs over standardised features, stages with convolutions in
    /// few careful ones.
    private static func pictures(_ kind: Kind, isAdamW: Bool) -> Defaults {
      let (isHead, isLinear) = (kind == .head || kind == .mlp, kind == .head)
      return Defaults(
        epochs: isHead ? 60 : 12, batchSize: isHead ? 32 : 16,
        learningRate: isAdamW ? (isLinear ? 3e-3 : 1e-3) : (isLinear ? 3e-2 : 1e-2), weightDecay: isAdamW ? 5e-2 : 1e-3,
        headEpochs: kind.beginsWithHead ? Recipe.defaultHeadEpochs : nil)
    }

    /// For small data, and pictures that are large: few of them a step. Features of pixels aren't kept, so that an epoch of
    /// the head alone costs nearly as much as one of more.
    private static func pixels(isAdamW: Bool) -> Defaults {
      Defaults(
        epochs: 20, batchSize: 4, learningRate: isAdamW ? 1e-3 : 1e-2, weightDecay: isAdamW ? 1e-2 : 1e-4,
        headEpochs: nil)
    }

    /// A network that learns whole does so in few epochs at small rates (Devlin et al. 2019, appendix A.3: 5e-5 for what is
    /// pretrained, which is a tenth of the rate here). A text's frozen features cost as much as its gradients do where few
    /// layers learn, so that no epochs of the head alone come first.
    private static func texts(_ kind: Kind, isAdamW: Bool) -> Defaults {
      let isHead = kind == .head
      return Defaults(
        epochs: isHead ? 30 : kind == .lora ? 10 : 4, batchSize: isHead ? 32 : 16,
        learningRate: isAdamW ? (isHead ? 1e-2 : 5e-4) : (isHead ? 3e-2 : 1e-2), weightDecay: isAdamW ? 1e-2 : 0,
        headEpochs: nil)
    }
  }
}
