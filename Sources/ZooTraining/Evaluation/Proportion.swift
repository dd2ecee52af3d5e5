/// So many of so many, and how sure that share is.
public struct Proportion: Sendable, Equatable, Encodable {
  public let count: Int
  public let total: Int
  /// 0 where there are none at all.
  public let share: Double
  /// Bounds of the share within which 95 of 100 samples would have it: Wilson, "Probable Inference, the Law of
  /// Succession, and Statistical Inference", 1927.
  public let low: Double
  public let high: Double

  private static let deviations = 1.959963984540054

  public init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
    guard total > 0 else {
      (share, low, high) = (0, 0, 1)
      return
    }
    let (share, n, z) = (Double(count) / Double(total), Double(total), Self.deviations)
    let middle = share + z * z / (2 * n)
    let reach = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    self.share = share
    low = max(0, (middle - reach) / (1 + z * z / n))
    high = min(1, (middle + reach) / (1 + z * z / n))
  }
}
