import ZooCheckpoint

/// Features and labels of the pictures that could be read.
struct PreparedData {
  struct Part {
    var examples: [Example] = []
    var features: [FloatTensor] = []
    var labels: [Int] { examples.map(\.label) }
  }

  var training = Part()
  var validation = Part()
  var skipped: [SkippedPicture] = []
  var cached = 0
}

extension PreparedData {
  /// - Throws: ``DataError`` where a class has no picture left to learn from, or none is left to judge by.
  init(_ computed: FrozenFeatures.Result, of dataset: Dataset) throws(DataError) {
    skipped = computed.skipped
    cached = computed.cached
    let learnt = Set(dataset.training.map(\.name))
    for (example, features) in zip(computed.examples, computed.features) {
      if learnt.contains(example.name) {
        training.examples.append(example)
        training.features.append(features)
      } else {
        validation.examples.append(example)
        validation.features.append(features)
      }
    }
    let present = Set(training.examples.map(\.label))
    for (label, name) in dataset.labels.enumerated() where !present.contains(label) {
      let all = dataset.training.filter { $0.label == label }
      let reason = skipped.first { skipped in all.contains { $0.name == skipped.name } }?.reason ?? ""
      throw .brokenClass(folder: dataset.folder, name: name, pictures: all.count, reason: reason)
    }
    guard !validation.examples.isEmpty else { throw .noValidation(folder: dataset.folder) }
  }
}
