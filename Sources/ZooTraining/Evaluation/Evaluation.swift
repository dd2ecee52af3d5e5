import ZooCheckpoint
import ZooInference
import ZooVision

/// How well a classifier does on labelled pictures.
public struct Evaluation: Sendable {
  public let confusion: ConfusionMatrix
  /// Share of the pictures whose class is among the five likeliest; nil where there are no more than five classes.
  public let topFive: Double?
  /// Mean cross-entropy, in nats.
  public let loss: Double
  public let skipped: [SkippedPicture]

  public var accuracy: Double { confusion.accuracy }

  private static let batch = 8

  /// Runs the classifier over class folders; `folder/val` (or `validation`) where it exists.
  ///
  /// - Parameter progress: called with the pictures done and their number.
  /// - Throws: ``DataError``, ``TrainingError/noLabels(file:)``, ``TrainingError/nothingReadable(folder:reason:)``,
  ///   `ModelError`, `EngineError`, `FileError`.
  public init(
    _ model: LoadedModel, folder: String, threads: Int? = nil, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    try model.require(.imageClassification)
    guard !model.labels.isEmpty else { throw TrainingError.noLabels(file: model.path) }
    let examples = try Dataset.held(in: folder, labels: model.labels)
    let classifier = try Classifier(model, batch: min(Self.batch, examples.count), threads: threads)
    var confusion = ConfusionMatrix(labels: model.labels)
    var skipped: [SkippedPicture] = []
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
      for (prediction, truth) in zip(try classifier.predict(pictures), truths) {
        confusion.add(truth: truth, prediction: SoftmaxLoss.highest(prediction.logits))
        loss += SoftmaxLoss.judge(prediction.logits, truth: truth).loss
        inTopFive += prediction.top(5).contains { $0.index == truth } ? 1 : 0
      }
    }
    guard confusion.total > 0 else {
      throw TrainingError.nothingReadable(folder: folder, reason: skipped.first?.reason ?? "no pictures")
    }
    self.confusion = confusion
    self.skipped = skipped
    self.loss = loss / Double(confusion.total)
    topFive = model.labels.count > 5 ? Double(inTopFive) / Double(confusion.total) : nil
  }
}
