import ZooCheckpoint

/// Features and labels of the pictures that could be read.
struct PreparedData {
  struct Part {
    var examples: [Example] = []
    /// Empty where they are made anew for each batch.
    var features: [FloatTensor] = []
  }

  var training = Part()
  var validation = Part()
  /// Features of the training pictures, a list a view; one that is ``Part/features`` where pictures aren't changed.
  var views: [[FloatTensor]] { [training.features] + otherViews }
  var otherViews: [[FloatTensor]] = []
  /// What the trained part takes.
  var shape: [Int] = []
  var skipped: [SkippedPicture] = []
  var cached = 0
}

extension PreparedData {
  /// - Parameters:
  ///   - training: of the training pictures, the features of each view, or one list without any.
  ///   - validation: of the validation pictures.
  /// - Throws: ``DataError`` where a class has no picture left to learn from, or none is left to judge by.
  init(
    training views: [FrozenFeatures.Result], validation: FrozenFeatures.Result, of dataset: Dataset
  ) throws(DataError) {
    guard let first = views.first else { throw .noValidation(folder: dataset.folder) }
    training = Part(examples: first.examples, features: first.features)
    self.validation = Part(examples: validation.examples, features: validation.features)
    otherViews = views.dropFirst().map(\.features)
    shape = validation.shape
    skipped = first.skipped + validation.skipped
    cached = first.cached + validation.cached
    let present = Set(training.examples.flatMap(\.labels))
    for (label, name) in dataset.labels.enumerated() where dataset.problem != .regression && !present.contains(label) {
      let all = dataset.training.filter { $0.labels.contains(label) }
      let reason = skipped.first { skipped in all.contains { $0.name == skipped.name } }?.reason ?? ""
      throw .brokenClass(folder: dataset.folder, name: name, pictures: all.count, reason: reason)
    }
    guard !training.examples.isEmpty else {
      throw .nothingToLearn(folder: dataset.folder, reason: skipped.first?.reason ?? "")
    }
    guard !validation.examples.isEmpty else { throw .noValidation(folder: dataset.folder) }
  }
}
