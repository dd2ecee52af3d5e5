import COneDNN

/// Steps of optimizers over parts of flat buffers, on every thread that kernels run on; the number of threads changes
/// nothing.
public enum OptimizerKernels {
  /// What a step of AdamW is made with, besides its moments' decay of 0.9 and 0.999.
  public struct AdamW: Sendable {
    public var rate: Float
    public var decay: Float
    /// Times the gradient.
    public var scale: Float
    /// One less the moments' decay to the power of the number of steps.
    public var corrections: (first: Float, second: Float)

    public init(rate: Float, decay: Float, scale: Float, corrections: (first: Float, second: Float)) {
      self.rate = rate
      self.decay = decay
      self.scale = scale
      self.corrections = corrections
    }
  }

  /// `torch.optim.AdamW`'s step.
  ///
  /// - Precondition: all buffers have the range.
  public static func adamw(
    _ range: Range<Int>, parameters: UnsafeMutableBufferPointer<Float>, gradient: UnsafeBufferPointer<Float>,
    first: UnsafeMutableBufferPointer<Float>, second: UnsafeMutableBufferPointer<Float>, _ step: AdamW
  ) {
    guard let parameters = parameters.baseAddress, let gradient = gradient.baseAddress, let first = first.baseAddress,
      let second = second.baseAddress
    else { return }
    var made = zoo_adamw_step(
      rate: step.rate, decay: step.decay, scale: step.scale, first_correction: step.corrections.first,
      second_correction: step.corrections.second)
    let start = range.lowerBound
    zoo_adamw(parameters + start, gradient + start, first + start, second + start, Int64(range.count), &made)
  }

  /// `torch.optim.SGD`'s step with momentum 0.9.
  ///
  /// - Precondition: all buffers have the range.
  public static func sgd(
    _ range: Range<Int>, parameters: UnsafeMutableBufferPointer<Float>, gradient: UnsafeBufferPointer<Float>,
    momentum: UnsafeMutableBufferPointer<Float>, rate: Float, decay: Float, scale: Float
  ) {
    guard let parameters = parameters.baseAddress, let gradient = gradient.baseAddress,
      let momentum = momentum.baseAddress
    else { return }
    let start = range.lowerBound
    zoo_sgd(parameters + start, gradient + start, momentum + start, Int64(range.count), rate, decay, scale)
  }

  /// The sum of a range's squares.
  ///
  /// - Precondition: the buffer has the range.
  public static func sumOfSquares(_ values: UnsafeBufferPointer<Float>, _ range: Range<Int>) -> Double {
    values.baseAddress.map { zoo_sum_of_squares($0 + range.lowerBound, Int64(range.count)) } ?? 0
  }
}
