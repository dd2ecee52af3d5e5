import ZooCheckpoint
import ZooInference
import ZooVision

/// How well a segmentation network does on pictures with masks.
public struct SegmentationEvaluation: Sendable {
  /// Of pixels; those that the masks ignore are left out.
  public let confusion: ConfusionMatrix
  public let pictures: Int
  /// Mean cross-entropy over the pixels, in nats.
  public let loss: Double
  public let skipped: [SkippedPicture]

  public var meanIntersectionOverUnion: Double { confusion.meanIntersectionOverUnion }
  public var pixelAccuracy: Double { confusion.accuracy }

  /// Runs the network over pictures, each at the size that the network's preprocessing gives it; over those kept for
  /// validation where the data is divided.
  ///
  /// - Parameters:
  ///   - data: a folder of pictures and masks, or a table of them, see ``MaskLayout``.
  ///   - progress: called with the pictures done and their number.
  /// - Throws: ``MaskDataError``, ``TrainingError``, `ModelError`, `EngineError`, `PictureError`, `FileError`.
  public init(
    _ model: LoadedModel, data: String, threads: Int? = nil, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    try model.require(.imageSegmentation)
    let classes = model.description.classes
    let labels = model.labels.isEmpty ? (0..<classes).map { "class \($0)" } : model.labels
    let (examples, skipped) = try SegmentationDataset.held(in: data, labels: labels, isNamed: !model.labels.isEmpty) {
      progress($0, $1 * 2)
    }
    let judge = PixelJudge(
      graph: model.graph, preprocessing: model.preprocessing, labels: labels, examples: examples, threads: threads)
    let outcome = try judge.judge(model.weights, progress: { progress(examples.count + $0, 2 * examples.count) })
    (confusion, loss, self.skipped) = (outcome.confusion, outcome.loss, skipped)
    pictures = examples.count
  }
}
