/// Where the time of a run went, in seconds.
public struct RunTiming: Codable, Sendable, Equatable {
  /// Frozen features, and making what learns.
  public var preparing = 0.0
  /// The engine stood still because no batch was ready.
  public var waiting = 0.0
  /// Forward, backward and the optimizer.
  public var learning = 0.0
  public var judging = 0.0
  public var saving = 0.0

  public init() {}

  mutating func measure<Result>(_ part: WritableKeyPath<RunTiming, Double>, _ body: () throws -> Result) rethrows
    -> Result
  {
    let start = ContinuousClock.now
    defer { self[keyPath: part] += (ContinuousClock.now - start).seconds }
    return try body()
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
