import Foundation
import ZooCheckpoint

/// Mean, standard deviation and range of a tensor's finite values.
public struct TensorStatistics: Sendable, Equatable, Encodable {
  public let mean: Double
  /// Of the population: divided by the count.
  public let std: Double
  public let min: Double
  public let max: Double
  /// Values that are NaN or infinite.
  public let nonFinite: Int

  /// Two passes over the values, in double precision.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  public init(_ tensor: Tensor) throws {
    (mean, std, min, max, nonFinite) = try FloatTensor(tensor).withValues { values in
      var (sum, low, high, finite) = (0.0, Double.infinity, -Double.infinity, 0)
      for value in values where value.isFinite {
        let value = Double(value)
        sum += value
        low = Swift.min(low, value)
        high = Swift.max(high, value)
        finite += 1
      }
      guard finite > 0 else { return (0, 0, 0, 0, values.count) }
      let mean = sum / Double(finite)
      var squares = 0.0
      for value in values where value.isFinite { squares += (Double(value) - mean) * (Double(value) - mean) }
      return (mean, (squares / Double(finite)).squareRoot(), low, high, values.count - finite)
    }
  }
}
