/// How a network is compiled.
public struct CompileOptions: Sendable {
  public enum Precision: Sendable {
    /// Float32, Winograd where it is faster (relative error about 5e-6).
    case float32
    /// Float32, direct convolutions only: the sums that a textbook would make, in another order.
    case exact
  }
  /// Threads to run on; nil for one a core.
  public var threads: Int?
  public var precision: Precision

  public init(threads: Int? = nil, precision: Precision = .float32) {
    self.threads = threads
    self.precision = precision
  }
}
