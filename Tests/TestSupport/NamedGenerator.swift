import ZooCheckpoint

extension SeededGenerator {
  /// Another row of numbers for each name.
  public init(_ name: String) { self.init(seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }) }
}
