/// How weights learn in the recipe `lora`: each by a change of low rank, while it stays as it is itself.
///
/// Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022 (arXiv:2106.09685).
public struct LowRank: Codable, Sendable, Equatable {
  /// Of each change.
  public var rank = 8
  /// Over the rank it is what changes are multiplied by.
  public var alpha = 16.0
  /// Patterns of names of the weights to change; empty for the usual ones.
  public var targets: [String] = []
  /// Whether the changes are written as an adapter of their own instead of into the weights.
  public var isKeptApart = false

  public init() {}

  var scale: Float { Float(alpha / Double(rank)) }
}
