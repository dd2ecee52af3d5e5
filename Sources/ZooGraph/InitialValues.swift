/// What a parameter begins with where nothing is pretrained.
public enum InitialValues: Sendable, Equatable {
  case constant(Float)
  /// Of mean 0.
  case normal(deviation: Double)

  /// Of embeddings and position tables: BERT (arXiv:1810.04805), ViT, Swin and MaxViT as torchvision begins them.
  public static let table = InitialValues.normal(deviation: 0.02)
}
