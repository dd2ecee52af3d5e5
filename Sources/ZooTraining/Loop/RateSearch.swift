import Foundation

/// Looks for a learning rate: steps at rates that rise from tiny to far too high, and what becomes of the loss.
///
/// Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3; smoothing, end and choice
/// ("valley") are fastai's `lr_find`.
public struct RateSearch: Sendable, Equatable {
  public struct Point: Sendable, Equatable, Codable {
    public let rate: Double
    /// Smoothed.
    public let loss: Double
  }

  public let points: [Point]
  /// nil where the loss never falls.
  public let suggestion: Double?

  private static let smoothing = 0.98
  /// The loss over the best one at which nothing is to be learnt any more.
  private static let end = 4.0
  public static let rates = 1e-7...10.0
  public static let steps = 100

  /// - Parameter step: makes a step at a rate and gives the batch's mean loss; nil ends the search.
  init(step: (_ place: Int, _ rate: Double) throws -> Double?) rethrows {
    var points: [Point] = []
    var (average, best) = (0.0, Double.infinity)
    for place in 0..<Self.steps {
      let part = Double(place) / Double(Self.steps - 1)
      let rate = Self.rates.lowerBound * pow(Self.rates.upperBound / Self.rates.lowerBound, part)
      guard let loss = try step(place, rate), loss.isFinite else { break }
      average = Self.smoothing * average + (1 - Self.smoothing) * loss
      let smoothed = average / (1 - pow(Self.smoothing, Double(place + 1)))
      if place > 0, smoothed > Self.end * best { break }
      best = min(best, smoothed)
      points.append(Point(rate: rate, loss: smoothed))
    }
    self.points = points
    suggestion = Self.valley(Array(points.dropFirst(Self.steps / 10).dropLast(5)))
  }

  /// The middle of the longest way down, a little towards its beginning.
  static func valley(_ points: [Point]) -> Double? {
    guard points.count > 2 else { return nil }
    var lengths = [Int](repeating: 1, count: points.count)
    var (start, end) = (0, 0)
    for place in 1..<points.count {
      for earlier in 0..<place {
        if points[place].loss < points[earlier].loss, lengths[place] < lengths[earlier] + 1 {
          lengths[place] = lengths[earlier] + 1
        }
        if lengths[end] < lengths[place] { (end, start) = (place, max(place - lengths[place], 0)) }
      }
    }
    // Less is rounding.
    guard points[start].loss - points[end].loss > 1e-6 * abs(points[start].loss) else { return nil }
    let section = Double(end - start) / 3
    return points[start + Int(section) + Int(section / 2)].rate
  }
}
