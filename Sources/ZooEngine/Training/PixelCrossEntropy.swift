import COneDNN

/// Softmax cross-entropy of a class for each pixel, with class weights and label smoothing, as
/// `torch.nn.functional.cross_entropy` has it for logits [N, classes, H, W]; the mean is over the pixels that count.
public struct PixelCrossEntropy: Sendable {
  /// The class of pixels that nothing is said of.
  public static let ignored: UInt8 = 255

  public let classes: Int
  public var smoothing: Float
  /// One a class; nil for 1.
  public var weights: [Float]?

  /// - Parameter classes: 1 to 255.
  public init(classes: Int, smoothing: Float = 0, weights: [Float]? = nil) {
    self.classes = classes
    self.smoothing = smoothing
    self.weights = weights
  }

  public struct Outcome: Sendable, Equatable {
    /// Sum over the pixels that count; over ``weight`` it is the mean.
    public var loss = 0.0
    /// Sum of the weights of their classes.
    public var weight = 0.0
    /// Pixels that count.
    public var counted = 0
    /// Those whose class is the likeliest one.
    public var correct = 0

    public init() {}
  }

  /// - Parameters:
  ///   - logits: [N, classes, pixels].
  ///   - truth: [N, pixels], classes or ``ignored``.
  ///   - gradient: receives the mean's gradient with respect to the logits, of their size; nil where it isn't wanted.
  ///   - likeliest: receives each pixel's likeliest class; nil where it isn't wanted.
  /// - Throws: ``EngineError`` where a truth is no class, or sizes don't fit.
  public func loss(
    _ logits: UnsafeBufferPointer<Float>, truth: [UInt8], pictures: Int,
    gradient: UnsafeMutableBufferPointer<Float>? = nil, likeliest: UnsafeMutableBufferPointer<UInt8>? = nil
  ) throws -> Outcome {
    guard pictures > 0, logits.count == truth.count * classes, truth.count.isMultiple(of: pictures),
      gradient.map({ $0.count == logits.count }) ?? true, likeliest.map({ $0.count == truth.count }) ?? true,
      weights.map({ $0.count == classes }) ?? true
    else { throw EngineError.inputShape(expected: [truth.count * classes], found: [logits.count]) }
    var outcome = zoo_pixel_outcome()
    let status = truth.withUnsafeBufferPointer { truth in
      withOptionalPointer(weights) { weights in
        var task = zoo_pixel_task(
          logits: logits.baseAddress, truth: truth.baseAddress, pictures: Int64(pictures), classes: Int64(classes),
          pixels: Int64(truth.count / pictures), smoothing: smoothing, weights: weights)
        return zoo_pixel_cross_entropy(&task, gradient?.baseAddress, likeliest?.baseAddress, &outcome)
      }
    }
    guard status == 0 else {
      throw EngineError.inputShape(expected: [classes], found: [Int(truth.filter { $0 != Self.ignored }.max() ?? 0)])
    }
    var sum = Outcome()
    (sum.loss, sum.weight) = (outcome.loss, outcome.weight)
    (sum.counted, sum.correct) = (Int(outcome.counted), Int(outcome.correct))
    return sum
  }

  /// Adds the pixels that count to `counts`, [truth, found].
  ///
  /// - Precondition: `truth` and `found` have one size, `counts` has the square of `classes`.
  public static func count(_ truth: [UInt8], _ found: [UInt8], classes: Int, into counts: inout [Int]) {
    precondition(truth.count == found.count && counts.count == classes * classes)
    var added = [Int64](repeating: 0, count: counts.count)
    zoo_count_confusion(truth, found, Int64(truth.count), Int64(classes), &added)
    for index in counts.indices { counts[index] += Int(added[index]) }
  }
}

private func withOptionalPointer<Result>(
  _ values: [Float]?, _ body: (UnsafePointer<Float>?) -> Result
) -> Result {
  guard let values else { return body(nil) }
  return values.withUnsafeBufferPointer { body($0.baseAddress) }
}
