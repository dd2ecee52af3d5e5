extension Recipe {
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
