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
    // Float32 would make infinities of what is beyond its range.
    self =
      tensor.dtype == .float64
      ? try tensor.withContiguousBytes { Self($0.assumingMemoryBound(to: Double.self)) }
      : try FloatTensor(tensor).withValues { Self($0) }
  }

  private init<Value: BinaryFloatingPoint>(_ values: UnsafeBufferPointer<Value>) {
    var (sum, low, high, finite) = (0.0, Double.infinity, -Double.infinity, 0)
    for value in values where value.isFinite {
      let value = Double(value)
      sum += value
      low = Swift.min(low, value)
      high = Swift.max(high, value)
      finite += 1
    }
    nonFinite = values.count - finite
    guard finite > 0 else {
      (mean, std, min, max) = (0, 0, 0, 0)
      return
    }
    let mean = sum / Double(finite)
    var squares = 0.0
    for value in values where value.isFinite { squares += (Double(value) - mean) * (Double(value) - mean) }
    (self.mean, std, min, max) = (mean, (squares / Double(finite)).squareRoot(), low, high)
  }
}
