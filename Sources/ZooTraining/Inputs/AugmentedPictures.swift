import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooVision

/// Pictures decoded and changed at random anew for each batch, on threads of their own, then run through the frozen part.
final class AugmentedPictures: ExampleSource {
  let shape: [Int]
  private let examples: [Example]
  private let augmenter: Augmenter
  private let targets: TargetRows
  private let mixing: Mixing
  private let frozen: FrozenPart
  private let pictures: PicturesAhead<FloatTensor>

  /// - Parameters:
  ///   - frozen: what every picture goes through before it is learnt from; has no nodes where all learns.
  ///   - shape: of one picture behind it.
  init(
    examples: [Example], augmenter: Augmenter, frozen: Graph, weights: Weights, shape: [Int], targets: TargetRows,
    mixing: Mixing, threads: Int?
  ) {
    self.examples = examples
    self.augmenter = augmenter
    self.shape = shape
    self.targets = targets
    self.mixing = mixing
    self.frozen = FrozenPart(
      frozen, weights: weights, shape: [3] + augmenter.preprocessing.size, threads: threads)
    pictures = PicturesAhead(examples, threads: threads) { example, seed in
      try augmenter.apply(Picture.decode(path: example.path), seed: seed)
    }
  }

  func announce(_ batches: [AnnouncedBatch]) { pictures.announce(batches) }

  func batch(_ places: [Int], seed: UInt64) throws -> TrainingBatch {
    let (pictures, waiting) = try pictures.take(places, seed: seed)
    let size = 3 * augmenter.preprocessing.size.reduce(1, *)
    var batch = TrainingBatch(
      inputs: try FloatTensor.joined(pictures, count: size),
      targets: targets.rows(places), waiting: waiting)
    mixing.apply(to: &batch, shape: [3] + augmenter.preprocessing.size, seed: seed)
    batch.inputs = try frozen.features(batch.inputs, count: places.count)
    return batch
  }
}

extension SeededGenerator {
  /// A seed of its own for each item of a series.
  static func seed(_ seed: UInt64, _ index: Int) -> UInt64 {
    var generator = SeededGenerator(seed: seed, index)
    return generator.next()
  }
}
