import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// Judges a network by pictures whose pixels' classes are known, each at the size that the network's preprocessing gives
/// it, its mask by the nearest pixel, as torchvision's reference does.
struct PixelJudge {
  /// What the network says of one picture.
  struct Judged {
    /// The picture's place among the examples.
    let place: Int
    /// The picture as it was shown.
    let shown: Picture
    let truth: ClassMask
    let found: ClassMask
    let confusion: ConfusionMatrix
  }

  struct Outcome {
    var confusion: ConfusionMatrix
    /// Mean cross-entropy over the pixels that count, in nats.
    var loss: Double
  }

  let graph: Graph
  let preprocessing: Preprocessing
  let labels: [String]
  let examples: [MaskedExample]
  var threads: Int?

  private struct Prepared: Sendable {
    let place: Int
    let shown: Picture
    let input: FloatTensor
    let truth: ClassMask
  }

  /// - Parameters:
  ///   - progress: called with the pictures done.
  ///   - each: gets every picture as it is judged.
  /// - Throws: `EngineError`, `GraphError`, ``TrainingError/unreadablePicture(file:reason:)``.
  func judge(
    _ weights: Weights, progress: (_ done: Int) -> Void = { _ in }, each: (Judged) -> Void = { _ in }
  ) throws -> Outcome {
    var confusion = ConfusionMatrix(labels: labels)
    var (loss, counted) = (0.0, 0)
    let pixelLoss = PixelCrossEntropy(classes: labels.count)
    let pictures = prepared()
    // A plan stays while pictures of one size come.
    var latest: (size: [Int], plan: Plan)?
    for done in examples.indices {
      progress(done)
      guard let next = pictures.next() else { break }
      let picture: Prepared
      do {
        picture = try next.output.get()
      } catch let error as any ReportableError {
        throw TrainingError.unreadablePicture(file: examples[done].path, reason: error.report.problem)
      }
      let size = Array(picture.input.shape.dropFirst())
      let plan: Plan
      if let latest, latest.size == size {
        plan = latest.plan
      } else {
        plan = try compile(
          graph, weights: weights, inputShape: [1, 3] + size, options: CompileOptions(threads: threads))
        latest = (size, plan)
      }
      let input = FloatTensor(shape: [1, 3] + size, values: try picture.input.values())
      let logits = try plan.run(input)[0].values()
      var likeliest = [UInt8](repeating: 0, count: size.reduce(1, *))
      let outcome = try logits.withUnsafeBufferPointer { logits in
        try likeliest.withUnsafeMutableBufferPointer {
          try pixelLoss.loss(logits, truth: picture.truth.classes, pictures: 1, likeliest: $0)
        }
      }
      loss += outcome.loss
      counted += outcome.counted
      var own = ConfusionMatrix(labels: labels)
      own.add(truths: picture.truth.classes, predictions: likeliest)
      confusion.add(own)
      each(
        Judged(
          place: picture.place, shown: picture.shown, truth: picture.truth,
          found: ClassMask(width: size[1], height: size[0], classes: likeliest), confusion: own))
    }
    progress(examples.count)
    return Outcome(confusion: confusion, loss: loss / Double(max(counted, 1)))
  }

  private func prepared() -> WorkAhead<Int, Result<Prepared, any Error>> {
    WorkAhead(
      examples.indices, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, prefetch: 4, isYielding: true
    ) { [examples, preprocessing] place in
      Result {
        let example = examples[place]
        let shown = try preprocessing.fitted(Picture.decode(path: example.path))
        let truth = try preprocessing.fitted(ClassMask.decode(path: example.maskPath), of: shown)
        return Prepared(place: place, shown: shown, input: try preprocessing.input(ofFitted: shown), truth: truth)
      }
    }
  }
}
