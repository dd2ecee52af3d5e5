import ZooCheckpoint
import ZooInference

/// How well a multi-label network does on pictures whose labels are known.
public struct LabelEvaluation: Sendable {
  public let labels: [String]
  public let metrics: LabelMetrics
  public let pictures: Int
  /// Mean binary cross-entropy, in nats.
  public let loss: Double
  public let skipped: [SkippedPicture]

  /// - Parameters: as of ``Evaluation``.
  /// - Throws: ``DataError``, ``TableError``, ``TrainingError``, `ModelError`, `EngineError`, `FileError`.
  public init(
    _ model: LoadedModel, table: String, mirrors: Bool = false, threads: Int? = nil,
    progress: @escaping (Int, Int) -> Void = { _, _ in }
  ) throws {
    var logits: [[Float]] = []
    var examples: [Example] = []
    skipped = try PictureJudging(model: model, folder: table, mirrors: mirrors, threads: threads, progress: progress)
      .run(.multiLabel) { prediction, example in
        logits.append(prediction.logits)
        examples.append(example)
      }
    labels = model.labels
    pictures = examples.count
    metrics = LabelMetrics(logits: logits, truths: examples.map(\.labels), labels: labels.count)
    loss = LabelLoss(outputs: labels.count).meanLoss(logits, examples)
  }
}

/// How far a regression network's numbers are from the true ones.
public struct ValueEvaluation: Sendable {
  public let names: [String]
  public let metrics: ValueMetrics
  public let pictures: Int
  public let skipped: [SkippedPicture]

  /// - Parameters: as of ``Evaluation``.
  /// - Throws: ``DataError``, ``TableError``, ``TrainingError``, `ModelError`, `EngineError`, `FileError`.
  public init(
    _ model: LoadedModel, table: String, mirrors: Bool = false, threads: Int? = nil,
    progress: @escaping (Int, Int) -> Void = { _, _ in }
  ) throws {
    var predictions: [[Double]] = []
    var truths: [[Double]] = []
    skipped = try PictureJudging(model: model, folder: table, mirrors: mirrors, threads: threads, progress: progress)
      .run(.regression) { prediction, example in
        predictions.append(prediction.values.map(\.value))
        truths.append(example.values)
      }
    names = model.labels
    pictures = truths.count
    metrics = ValueMetrics(predictions: predictions, truths: truths)
  }
}
