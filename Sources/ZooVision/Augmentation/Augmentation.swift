/// What is changed at random in pictures that a network learns from; each change is torchvision's (`transforms.v2`), with
/// the same distributions of its parameters.
public struct Augmentation: Codable, Sendable, Equatable {
  /// A window of at least this part of the picture's area, and of 3:4 to 4:3, resized to the network's size
  /// (`RandomResizedCrop`); nil prepares pictures as for judging.
  public var crop: Double?
  /// Chance of a mirror image (`RandomHorizontalFlip`).
  public var flip = 0.0
  /// Most degrees of a turn to either side (`RandomRotation`).
  public var rotation = 0.0
  /// How far brightness, contrast, saturation and hue change (`ColorJitter`).
  public var jitter: Jitter?
  /// So many changes in a row, out of fourteen (`RandAugment`).
  public var randAugment: RandAugment?
  /// Chance that a rectangle is blanked out (`RandomErasing`).
  public var erasing = 0.0

  public struct Jitter: Codable, Sendable, Equatable {
    public var brightness: Double
    public var contrast: Double
    public var saturation: Double
    public var hue: Double
  }

  public struct RandAugment: Codable, Sendable, Equatable {
    public var operations: Int
    /// From 0 to 30.
    public var magnitude: Int
  }

  public init() {}

  public var isIdentity: Bool { self == Augmentation() }

  /// Reads `crop=0.5,flip,rotate=10,jitter=0.2:0.2:0.2:0.05,randaugment=2:9,erase=0.1`; numbers may be left out, and
  /// `standard` is `crop,flip`.
  ///
  /// - Throws: ``AugmentationError``.
  public init(parsing text: String) throws(AugmentationError) {
    for item in text.split(separator: ",", omittingEmptySubsequences: true) {
      let parts = item.split(separator: "=", maxSplits: 1)
      let name = String(parts[0])
      let given = parts.count > 1 ? parts[1].split(separator: ":").map { Double($0) } : []
      let numbers = given.compactMap(\.self)
      guard numbers.count == given.count, numbers.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
        throw .badNumber(item: String(item))
      }
      func number(_ place: Int, or usual: Double, in range: ClosedRange<Double>) throws(AugmentationError) -> Double {
        let value = place < numbers.count ? numbers[place] : usual
        guard range.contains(value) else { throw .badNumber(item: String(item)) }
        return value
      }
      switch name {
      case "standard": (crop, flip) = (crop ?? Self.usualCrop, 0.5)
      case "crop": crop = try number(0, or: Self.usualCrop, in: 0.01...1)
      case "flip": flip = try number(0, or: 0.5, in: 0...1)
      case "rotate": rotation = try number(0, or: 15, in: 0...180)
      case "jitter":
        let first = try number(0, or: 0.2, in: 0...1)
        jitter = Jitter(
          brightness: first, contrast: try number(1, or: first, in: 0...1),
          saturation: try number(2, or: first, in: 0...1), hue: try number(3, or: first / 4, in: 0...0.5))
      case "randaugment":
        randAugment = RandAugment(
          operations: Int(try number(0, or: 2, in: 0...14)), magnitude: Int(try number(1, or: 9, in: 0...30)))
      case "erase": erasing = try number(0, or: 0.25, in: 0...1)
      default: throw .unknown(item: name)
      }
    }
  }

  /// Milder than ImageNet's 0.08, which few pictures can't afford.
  static let usualCrop = 0.35
}

/// Why a list of augmentations can't be read.
public enum AugmentationError: Error, Sendable, Equatable {
  case unknown(item: String)
  case badNumber(item: String)
}
