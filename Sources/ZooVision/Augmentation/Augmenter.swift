import ZooCheckpoint

/// Prepares pictures for a network, changed at random.
public struct Augmenter: Sendable {
  public let augmentation: Augmentation
  public let preprocessing: Preprocessing

  /// - Throws: ``PictureError/badPreprocessing(problem:)`` where pictures of different shapes stay so.
  public init(_ augmentation: Augmentation, preprocessing: Preprocessing) throws(PictureError) {
    try preprocessing.check()
    guard preprocessing.givesOneSize else {
      throw .badPreprocessing(problem: "pictures that keep their shape can't be learnt from in batches")
    }
    self.augmentation = augmentation
    self.preprocessing = preprocessing
  }

  /// The network's input, [3, height, width]; the same for the same seed.
  ///
  /// - Throws: ``PictureError``.
  public func apply(_ picture: Picture, seed: UInt64) throws -> FloatTensor {
    var random = SeededGenerator(seed: seed)
    let changed = try changed(picture, using: &random)
    var values = try preprocessing.normalised(changed)
    if augmentation.erasing > 0, random.uniform() < augmentation.erasing,
      let window = CropWindow.randomErasure(width: changed.width, height: changed.height, using: &random)
    {
      let plane = changed.width * changed.height
      for channel in 0..<3 {
        for row in window.top..<window.top + window.height {
          let start = channel * plane + row * changed.width + window.left
          for index in start..<start + window.width { values[index] = 0 }
        }
      }
    }
    return FloatTensor(shape: [3, changed.height, changed.width], values: values)
  }

  /// The changed picture, of the network's size.
  func changed(_ picture: Picture, using random: inout SeededGenerator) throws -> Picture {
    var result: Picture
    if let least = augmentation.crop {
      let window = CropWindow.random(width: picture.width, height: picture.height, least: least, using: &random)
      result = picture.cropped(
        window, resizedTo: (preprocessing.size[1], preprocessing.size[0]), filter: preprocessing.interpolation)
    } else {
      result = try preprocessing.fitted(picture)
    }
    if augmentation.flip > 0, random.uniform() < augmentation.flip { result = result.mirrored() }
    if let many = augmentation.randAugment {
      for _ in 0..<many.operations {
        result = AugmentationOperation.random(using: &random)
          .apply(to: result, magnitude: many.magnitude, using: &random)
      }
    }
    if augmentation.rotation > 0 {
      result = result.rotated(by: random.uniform(-augmentation.rotation...augmentation.rotation))
    }
    if let jitter = augmentation.jitter { result = Self.jittered(result, jitter, using: &random) }
    return result
  }

  /// In an order that is random too.
  private static func jittered(
    _ picture: Picture, _ jitter: Augmentation.Jitter, using random: inout SeededGenerator
  ) -> Picture {
    func factor(_ reach: Double, _ random: inout SeededGenerator) -> Double {
      random.uniform(max(0, 1 - reach)...(1 + reach))
    }
    var result = picture
    for change in random.permutation(4) {
      switch change {
      case 0 where jitter.brightness > 0: result = result.brightened(by: factor(jitter.brightness, &random))
      case 1 where jitter.contrast > 0: result = result.contrasted(by: factor(jitter.contrast, &random))
      case 2 where jitter.saturation > 0: result = result.saturated(by: factor(jitter.saturation, &random))
      case 3 where jitter.hue > 0: result = result.hueShifted(by: random.uniform(-jitter.hue...jitter.hue))
      default: break
      }
    }
    return result
  }
}
