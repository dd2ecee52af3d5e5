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
    var mask: ClassMask?
    let changed = try changed(picture, &mask, using: &random)
    return try input(changed, using: &random)
  }

  /// The same with the picture's mask, which every change of geometry moves along; what is erased keeps its class, as in
  /// torchvision. Of a picture of another shape than the network's the largest part that has it is shown, anywhere.
  ///
  /// - Precondition: both have one size.
  /// - Throws: ``PictureError``.
  public func apply(_ picture: Picture, _ mask: ClassMask, seed: UInt64) throws -> (input: FloatTensor, mask: ClassMask)
  {
    precondition(picture.width == mask.width && picture.height == mask.height, "a mask of another size")
    var random = SeededGenerator(seed: seed)
    var moved: ClassMask? = mask
    let changed = try changed(picture, &moved, using: &random)
    return (try input(changed, using: &random), moved ?? mask)
  }

  private func input(_ changed: Picture, using random: inout SeededGenerator) throws -> FloatTensor {
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

  /// The changed picture, of the network's size, and its mask.
  func changed(
    _ picture: Picture, _ mask: inout ClassMask?, using random: inout SeededGenerator
  ) throws -> Picture {
    var result: Picture
    if let window = window(in: picture, hasMask: mask != nil, using: &random) {
      let size = (width: preprocessing.size[1], height: preprocessing.size[0])
      result = picture.cropped(window, resizedTo: size, filter: preprocessing.interpolation)
      mask = mask?.cropped(window).resized(width: size.width, height: size.height)
    } else {
      result = try preprocessing.fitted(picture)
    }
    if augmentation.flip > 0, random.uniform() < augmentation.flip {
      result = result.mirrored()
      mask = mask?.mirrored()
    }
    if let many = augmentation.randAugment {
      for _ in 0..<many.operations {
        let drawn = AugmentationOperation.random(using: &random)
          .drawn(for: result, magnitude: many.magnitude, using: &random)
        if let map = drawn.operation.map(drawn.strength, for: result) { mask = mask?.transformed(map) }
        result = drawn.operation.apply(to: result, strength: drawn.strength)
      }
    }
    if augmentation.rotation > 0 {
      let map = AffineMap(rotation: random.uniform(-augmentation.rotation...augmentation.rotation))
      result = result.transformed(map)
      mask = mask?.transformed(map)
    }
    if let jitter = augmentation.jitter { result = Self.jittered(result, jitter, using: &random) }
    return result
  }

  /// The part of the picture that is shown; nil where ``preprocessing`` says it.
  private func window(in picture: Picture, hasMask: Bool, using random: inout SeededGenerator) -> CropWindow? {
    let (width, height) = (picture.width, picture.height)
    if let least = augmentation.crop {
      return CropWindow.random(width: width, height: height, least: least, using: &random)
    }
    guard hasMask else { return nil }
    return CropWindow.largest(width: width, height: height, of: preprocessing.size, using: &random)
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
