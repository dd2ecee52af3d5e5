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
    progress: @escaping (Int, Int) -> Void = { _, _ in }
  ) throws {
    var confusion = ConfusionMatrix(labels: model.labels)
    var calibration = Calibration()
    var (loss, inTopFive) = (0.0, 0)
    skipped = try PictureJudging(
      model: model, folder: folder, folderNames: folderNames, mirrors: mirrors, threads: threads, progress: progress
    ).run(.classes) { prediction, example in
      let guesses = prediction.top(5)
      guard let first = guesses.first else { return }
      confusion.add(truth: example.label, prediction: first.index)
      calibration.add(confidence: first.probability, isRight: first.index == example.label)
      loss += SoftmaxLoss.judge(prediction.logits, truth: example.label).loss
      inTopFive += guesses.contains { $0.index == example.label } ? 1 : 0
    }
    self.confusion = confusion
    self.loss = loss / Double(confusion.total)
    self.calibration = calibration
    topFive = model.labels.count > 5 ? Proportion(inTopFive, of: confusion.total) : nil
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
