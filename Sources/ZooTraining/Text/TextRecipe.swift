extension Recipe {
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
