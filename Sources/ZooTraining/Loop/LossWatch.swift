/// Notices a run that leads nowhere: a loss or a gradient that is no number, or a loss that has risen beyond measure.
struct LossWatch: Codable, Equatable {
  /// A loss a hundred times that of the first step, over five steps, doesn't come back.
  private static let limit = 100.0
  private static let span = 5.0

  private var first: Double?
  private var recent = 0.0

  /// - Parameters:
  ///   - loss: mean over the step.
  ///   - gradientNorm: Euclidean, before clipping.
  /// - Returns: the cause, nil where all is well.
  mutating func notice(loss: Double, gradientNorm: Double) -> TrainingError.Divergence? {
    guard loss.isFinite else { return .lossIsNoNumber }
    guard gradientNorm.isFinite else { return .gradientIsNoNumber(loss: loss) }
    guard let first else {
      (first, recent) = (loss, loss)
      return nil
    }
    recent += (loss - recent) / Self.span
    // A network that begins nearly right may well rise a hundredfold.
    let bound = Self.limit * max(first, 1)
    return recent > bound ? .lossExplodes(loss: recent, first: first, gradientNorm: gradientNorm) : nil
  }
}
