extension Recipe {
  /// Values left out are chosen for small data and for pictures that are large: few of them a step.
  ///
  /// - Parameter kind: nil takes `head`, or `last-n` where `unfreeze` is above 0.
  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  public static func forPixels(
    kind: Kind? = nil, unfreeze: Int? = nil, epochs: Int? = nil, batchSize: Int? = nil, learningRate: Double? = nil,
    optimizer: Method = .adamw, weightDecay: Double? = nil, labelSmoothing: Double = 0, seed: UInt64 = 0
  ) throws(TrainingError) -> Recipe {
    var recipe = try Recipe(
      kind: kind, unfreeze: unfreeze, epochs: epochs ?? 20, batchSize: batchSize ?? 4,
      learningRate: learningRate ?? (optimizer == .adamw ? 1e-3 : 1e-2), optimizer: optimizer,
      weightDecay: weightDecay ?? (optimizer == .adamw ? 1e-2 : 1e-4), labelSmoothing: labelSmoothing, seed: seed)
    // Features of pixels aren't kept, so that an epoch of the head alone costs nearly as much as one of more.
    recipe.headEpochs = nil
    return recipe
  }

  /// - Throws: ``TrainingError/badOption(name:value:expected:)`` where it asks for what only classifiers have.
  func checkForPixels() throws(TrainingError) {
    guard kind != .mlp else {
      throw .badOption(
        name: "--recipe", value: "mlp",
        expected: "another recipe, hidden layers are for networks with a class a picture")
    }
    guard lowRank?.isKeptApart != true else {
      throw .badOption(name: "--adapter", value: "", expected: "networks with a class a picture: leave it out to merge")
    }
    guard views == 0, mixup == 0, cutmix == 0 else {
      throw .badOption(
        name: "--views, --mixup, --cutmix", value: "", expected: "networks with a class a picture, not one a pixel")
    }
    guard (16...4096).contains(pictureSize ?? 16) else {
      throw .badOption(name: "--size", value: "\(pictureSize ?? 0)", expected: "16 to 4096 pixels")
    }
  }
}
