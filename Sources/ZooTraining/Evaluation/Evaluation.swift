import ZooCheckpoint
import ZooInference
import ZooVision

/// How well a classifier does on labelled pictures.
public struct Evaluation: Sendable {
  public let confusion: ConfusionMatrix
  /// Pictures whose class came first.
  public var topOne: Proportion { Proportion(confusion.correct, of: confusion.total) }
  /// Pictures whose class is among the five likeliest; nil where there are no more than five classes.
  public let topFive: Proportion?
  public let calibration: Calibration
  /// Mean cross-entropy, in nats.
  public let loss: Double
  public let skipped: [SkippedPicture]

  public var accuracy: Double { confusion.accuracy }

  private static let batch = 8

  /// Runs the classifier over class folders; `folder/val` (or `validation`) where it exists.
  ///
  /// - Parameters:
  ///   - folderNames: other names that the classes' folders may have, and the classes they stand for.
  ///   - mirrors: whether each picture is judged together with its mirror image (test-time augmentation), by the mean
  ///     of both probabilities.
  ///   - progress: called with the pictures done and their number.
  /// - Throws: ``DataError``, ``TrainingError/noLabels(file:)``, ``TrainingError/nothingReadable(folder:reason:)``,
  ///   `ModelError`, `EngineError`, `FileError`.
  public init(
    _ model: LoadedModel, folder: String, folderNames: [String: Int] = [:], mirrors: Bool = false, threads: Int? = nil,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    try model.require(.imageClassification)
    guard !model.labels.isEmpty else { throw TrainingError.noLabels(file: model.path) }
    let examples = try Dataset.held(in: folder, labels: model.labels, folderNames: folderNames)
    let classifier = try Classifier(model, batch: min(Self.batch, examples.count), threads: threads)
    var confusion = ConfusionMatrix(labels: model.labels)
    var skipped: [SkippedPicture] = []
    var calibration = Calibration()
    var (loss, inTopFive) = (0.0, 0)
    for start in stride(from: 0, to: examples.count, by: classifier.batch) {
      progress(start, examples.count)
      var pictures: [Picture] = []
      var truths: [Int] = []
      for example in examples[start..<min(start + classifier.batch, examples.count)] {
        do {
          pictures.append(try Picture.decode(path: example.path))
          truths.append(example.label)
        } catch let error as any ReportableError {
          skipped.append(SkippedPicture(name: example.name, reason: error.report.problem))
        }
      }
      for (prediction, truth) in zip(try classifier.predict(pictures, mirrors: mirrors), truths) {
        let guesses = prediction.top(5)
        guard let first = guesses.first else { continue }
        confusion.add(truth: truth, prediction: first.index)
        calibration.add(confidence: first.probability, isRight: first.index == truth)
        loss += SoftmaxLoss.judge(prediction.logits, truth: truth).loss
        inTopFive += guesses.contains { $0.index == truth } ? 1 : 0
      }
    }
    guard confusion.total > 0 else {
      throw TrainingError.nothingReadable(folder: folder, reason: skipped.first?.reason ?? "no pictures")
    }
    self.confusion = confusion
    self.skipped = skipped
    self.loss = loss / Double(confusion.total)
    self.calibration = calibration
    topFive = model.labels.count > 5 ? Proportion(inTopFive, of: confusion.total) : nil
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

extension FloatTensor {
  /// [C, H, W] with left and right exchanged.
  func mirrored() throws -> FloatTensor {
    guard let width = shape.last, width > 0 else { return self }
    var values = try values()
    for start in stride(from: 0, to: values.count, by: width) { values[start..<start + width].reverse() }
    return FloatTensor(shape: shape, values: values)
  }
}
