import ZooCheckpoint

/// One of RandAugment's changes: Cubuk et al., "RandAugment: practical automated data augmentation with a reduced search
/// space", 2020, as torchvision has it.
enum AugmentationOperation: String, CaseIterable {
  case identity, shearX, shearY, translateX, translateY, rotate, brightness, colour, contrast, sharpness
  case posterize, solarize, autoContrast, equalize

  /// Steps of the magnitudes.
  private static let bins = 31

  private var isSigned: Bool {
    switch self {
    case .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .colour, .contrast, .sharpness: true
    default: false
    }
  }

  static func random(using random: inout SeededGenerator) -> AugmentationOperation {
    allCases[random.whole(below: allCases.count)]
  }

  /// - Parameter magnitude: from 0 to 30.
  func drawn(
    for picture: Picture, magnitude: Int, using random: inout SeededGenerator
  ) -> (operation: AugmentationOperation, strength: Double) {
    let sign = isSigned && random.uniform() <= 0.5 ? -1.0 : 1.0
    return (self, sign * strength(magnitude, picture))
  }

  /// How it moves a picture's content; nil where it changes colours alone.
  func map(_ strength: Double, for picture: Picture) -> AffineMap? {
    switch self {
    case .shearX: AffineMap(shearX: strength, height: picture.height)
    case .shearY: AffineMap(shearY: strength, width: picture.width)
    case .translateX: AffineMap(shiftX: Int(strength), shiftY: 0)
    case .translateY: AffineMap(shiftX: 0, shiftY: Int(strength))
    case .rotate: AffineMap(rotation: strength)
    default: nil
    }
  }

  private func strength(_ magnitude: Int, _ picture: Picture) -> Double {
    let part = Double(magnitude) / Double(Self.bins - 1)
    return switch self {
    case .shearX, .shearY: 0.3 * part
    case .translateX: 150.0 / 331 * Double(picture.width) * part
    case .translateY: 150.0 / 331 * Double(picture.height) * part
    case .rotate: 30 * part
    case .brightness, .colour, .contrast, .sharpness: 0.9 * part
    case .posterize: (8 - 4 * part).rounded(.toNearestOrEven)
    case .solarize: 1 - part
    case .identity, .autoContrast, .equalize: 0
    }
  }

  func apply(to picture: Picture, strength: Double) -> Picture {
    switch self {
    case .identity: picture
    case .shearX, .shearY, .translateX, .translateY, .rotate:
      map(strength, for: picture).map(picture.transformed) ?? picture
    case .brightness: picture.brightened(by: 1 + strength)
    case .colour: picture.saturated(by: 1 + strength)
    case .contrast: picture.contrasted(by: 1 + strength)
    case .sharpness: picture.sharpened(by: 1 + strength)
    case .posterize: picture.posterized(bits: Int(strength))
    case .solarize: picture.solarized(threshold: 255 * strength)
    case .autoContrast: picture.autocontrasted()
    case .equalize: picture.equalized()
    }
  }
}
