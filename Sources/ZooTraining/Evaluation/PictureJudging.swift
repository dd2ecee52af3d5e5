import ZooCheckpoint
import ZooInference
import ZooVision

/// Runs a classifier over labelled pictures.
struct PictureJudging {
  let model: LoadedModel
  /// The pictures; `folder/val` (or `validation`) counts where it exists.
  let folder: String
  /// Other names that the classes' folders may have, and the classes they stand for.
  var folderNames: [String: Int] = [:]
  /// Whether each picture is judged together with its mirror image.
  var mirrors = false
  var threads: Int?
  /// Called with the pictures done and their number.
  var progress: (Int, Int) -> Void = { _, _ in }

  private static let batch = 8

  /// - Parameter expected: how the model's outputs must be meant.
  /// - Returns: the pictures that couldn't be read; there is at least one that could.
  /// - Throws: ``DataError``, ``TableError``, ``TrainingError``, `ModelError`, `EngineError`, `FileError`.
  func run(_ expected: ProblemType, each: (Prediction, Example) -> Void) throws -> [SkippedPicture] {
    try model.require(.imageClassification)
    guard !model.labels.isEmpty else { throw TrainingError.noLabels(file: model.path) }
    guard model.problem == expected else {
      throw TrainingError.otherProblem(model: model.path, found: model.problem, expected: expected)
    }
    let examples = try Dataset.held(
      in: folder, labels: model.labels, problem: expected, folderNames: folderNames)
    let classifier = try Classifier(model, batch: max(1, min(Self.batch, examples.count)), threads: threads)
    var skipped: [SkippedPicture] = []
    for start in stride(from: 0, to: examples.count, by: classifier.batch) {
      progress(start, examples.count)
      var pictures: [Picture] = []
      var shown: [Example] = []
      for example in examples[start..<min(start + classifier.batch, examples.count)] {
        do {
          pictures.append(try Picture.decode(path: example.path))
          shown.append(example)
        } catch let error as any ReportableError {
          skipped.append(SkippedPicture(name: example.name, reason: error.report.problem))
        }
      }
      for (prediction, example) in zip(try classifier.predict(pictures, mirrors: mirrors), shown) {
        each(prediction, example)
      }
    }
    guard skipped.count < examples.count else {
      throw TrainingError.nothingReadable(folder: folder, reason: skipped.first?.reason ?? "no pictures")
    }
    return skipped
  }
}

extension Classifier {
  fileprivate func predict(_ pictures: [Picture], mirrors: Bool) throws -> [Prediction] {
    let prepared = try pictures.map(preprocessing.apply)
    let plain = try run(prepared: prepared)
    guard mirrors else { return plain }
    let mirrored = try run(prepared: prepared.map { try $0.mirrored() })
    return zip(plain, mirrored).map { $0.averaged(with: $1) }
  }
}
