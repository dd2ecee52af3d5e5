import ZooCheckpoint
import ZooVision

/// Pictures with their masks, decoded and changed at random anew for each batch, on threads of their own.
final class MaskedPictures {
  struct Batch {
    /// [N, 3, height, width].
    let inputs: [Float]
    /// [N, height, width].
    let truth: [UInt8]
    /// Seconds that it was waited for.
    let waiting: Double
  }

  private struct Made: Sendable {
    let input: FloatTensor
    let mask: ClassMask
  }

  private let size: [Int]
  private let pictures: PicturesAhead<Made>

  init(_ examples: [MaskedExample], augmenter: Augmenter, threads: Int?) {
    size = augmenter.preprocessing.size
    pictures = PicturesAhead(examples, threads: threads) { example, seed in
      let (picture, mask) = (
        try Picture.decode(path: example.path), try ClassMask.decode(path: example.maskPath)
      )
      guard picture.width == mask.width, picture.height == mask.height else {
        throw MaskDataError.size(
          mask: example.maskPath, width: mask.width, height: mask.height, pictureWidth: picture.width,
          pictureHeight: picture.height)
      }
      let made = try augmenter.apply(picture, mask, seed: seed)
      return Made(input: made.input, mask: made.mask)
    }
  }

  func announce(_ batches: [AnnouncedBatch]) { pictures.announce(batches) }

  /// - Throws: ``StoppedEarly``, ``TrainingError/unreadablePicture(file:reason:)``.
  func batch(_ places: [Int], seed: UInt64) throws -> Batch {
    let (made, waiting) = try pictures.take(places, seed: seed)
    return Batch(
      inputs: try FloatTensor.joined(made.map(\.input), count: 3 * size.reduce(1, *)),
      truth: made.flatMap(\.mask.classes), waiting: waiting)
  }
}
