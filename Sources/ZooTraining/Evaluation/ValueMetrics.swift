/// How far predicted numbers are from the true ones, as scikit-learn's `mean_absolute_error`,
/// `root_mean_squared_error` and `r2_score` count it: of several numbers the mean of each one's own.
public struct ValueMetrics: Sendable, Equatable, Encodable {
  /// Of one number.
  public struct Value: Sendable, Equatable, Encodable {
    public let meanAbsoluteError: Double
    public let rootMeanSquaredError: Double
    /// The share of the variance that is explained; 1 where all is right, 0 for what always says the mean. Where the truths
    /// don't differ 1 or 0.
    public let r2: Double
  }

  public let values: [Value]

  /// - Parameters:
  ///   - predictions: a row for each example.
  ///   - truths: as many.
  public init(predictions: [[Double]], truths: [[Double]]) {
    values = (truths.first ?? []).indices.map { column in
      let (said, truth) = (predictions.map { $0[column] }, truths.map { $0[column] })
      let count = Double(said.count)
      let errors = zip(said, truth).map { $0 - $1 }
      let squares = errors.reduce(0) { $0 + $1 * $1 }
      let mean = truth.reduce(0, +) / count
      let spread = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return Value(
        meanAbsoluteError: errors.reduce(0) { $0 + abs($1) } / count,
        rootMeanSquaredError: (squares / count).squareRoot(),
        r2: spread > 0 ? 1 - squares / spread : squares > 0 ? 0 : 1)
    }
  }

  public var meanAbsoluteError: Double { mean(\.meanAbsoluteError) }
  public var rootMeanSquaredError: Double { mean(\.rootMeanSquaredError) }
  public var r2: Double { mean(\.r2) }

  private func mean(_ number: KeyPath<Value, Double>) -> Double {
    values.isEmpty ? 0 : values.reduce(0) { $0 + $1[keyPath: number] } / Double(values.count)
  }
}
