/// Whether a classifier is as often right as it is sure: Guo et al., "On Calibration of Modern Neural Networks", 2017.
public struct Calibration: Sendable, Equatable, Encodable {
  /// Pictures whose likeliest class had a probability within one fifteenth of the range from 0 to 1.
  public struct Bin: Sendable, Equatable, Encodable {
    public fileprivate(set) var pictures = 0
    public fileprivate(set) var right = 0
    /// Sum of the probabilities.
    fileprivate var confidence = 0.0
    /// Mean probability; 0 where there is no picture.
    public var meanConfidence: Double { pictures == 0 ? 0 : confidence / Double(pictures) }
    public var accuracy: Double { pictures == 0 ? 0 : Double(right) / Double(pictures) }

    private enum CodingKeys: CodingKey {
      case pictures, accuracy, meanConfidence
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(pictures, forKey: .pictures)
      try values.encode(accuracy, forKey: .accuracy)
      try values.encode(meanConfidence, forKey: .meanConfidence)
    }
  }

  public private(set) var bins = [Bin](repeating: Bin(), count: 15)

  public init() {}

  /// - Parameter confidence: the likeliest class's probability.
  public mutating func add(confidence: Double, isRight: Bool) {
    // Bounds belong to the bin below them, as in the paper.
    let place = Int((confidence * Double(bins.count)).rounded(.up)) - 1
    let bin = min(max(place, 0), bins.count - 1)
    bins[bin].pictures += 1
    bins[bin].right += isRight ? 1 : 0
    bins[bin].confidence += confidence
  }

  /// Expected calibration error: how far confidence and accuracy are apart, on average over the pictures.
  public var error: Double {
    let total = bins.reduce(0) { $0 + $1.pictures }
    guard total > 0 else { return 0 }
    return bins.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / Double(total)
  }
}
