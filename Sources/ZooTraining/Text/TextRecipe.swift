extension Recipe {
  /// Values left out are those usual for texts: a network that learns whole does so in few epochs at small rates (Devlin
  /// et al. 2019, appendix A.3: 5e-5 for what is pretrained, which is a tenth of the rate here).
  ///
  /// - Parameter kind: nil takes `full` where there is no new head, else `head`, or `last-n` where `unfreeze` is above 0.
  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  public static func forTexts(
    _ purpose: TextPurpose, kind: Kind? = nil, unfreeze: Int? = nil, epochs: Int? = nil, batchSize: Int? = nil,
    learningRate: Double? = nil, optimizer: Method = .adamw, weightDecay: Double? = nil, labelSmoothing: Double = 0,
    seed: UInt64 = 0
  ) throws(TrainingError) -> Recipe {
    let usual: Kind = unfreeze ?? 0 > 0 ? .lastN : purpose == .classes ? .head : .full
    let kind = kind ?? usual
    let isHead = kind == .head
    var recipe = try Recipe(
      kind: kind, unfreeze: unfreeze, epochs: epochs ?? (isHead ? 30 : kind == .lora ? 10 : 4),
      batchSize: batchSize ?? (isHead ? 32 : 16),
      learningRate: learningRate ?? (optimizer == .adamw ? (isHead ? 3e-3 : 5e-4) : (isHead ? 3e-2 : 1e-2)),
      optimizer: optimizer, weightDecay: weightDecay ?? (optimizer == .adamw ? 1e-2 : 0),
      labelSmoothing: labelSmoothing, seed: seed)
    // A text's frozen features cost as much as its gradients do where few layers learn.
    recipe.headEpochs = nil
    return recipe
  }

  /// - Throws: ``TrainingError/badOption(name:value:expected:)`` where it asks for what only pictures have.
  func checkForTexts() throws(TrainingError) {
    guard kind != .mlp else {
      throw .badOption(name: "--recipe", value: "mlp", expected: "another recipe, hidden layers are for pictures")
    }
    guard augmentation.isIdentity, mixup == 0, cutmix == 0 else {
      throw .badOption(name: "--augment, --mixup, --cutmix", value: "", expected: "data of pictures")
    }
    guard !balancesClasses else {
      throw .badOption(name: "--class-weights", value: "", expected: "data of pictures")
    }
  }
}
