/// Holds a configuration's numbers, which may come out of any file, to what a network can have.
struct ConfigCheck {
  let family: String

  /// Widest layer accepted; products of two such widths and a kernel stay far below `Int.max`.
  static let channels = 1...65_536
  static let vocabulary = 1...10_000_000
  static let classes = 1...1_000_000
  static let blocks = 1...1_000

  func require(_ value: Int, in range: ClosedRange<Int>, _ field: String) throws(FamilyError) {
    guard range.contains(value) else {
      throw .badField(
        family: family, field: field, found: "\(value)", expected: "\(range.lowerBound) to \(range.upperBound)")
    }
  }

  func require(_ condition: Bool, _ field: String, found: some Any, expected: String) throws(FamilyError) {
    guard condition else { throw .badField(family: family, field: field, found: "\(found)", expected: expected) }
  }

  /// Blocks of each stage, and the same number of `numbers`, such as the stages' widths.
  func requireStages(_ depths: [Int], each numbers: [Int], _ field: String) throws(FamilyError) {
    try require(depths.count, in: 1...8, "number of depths")
    for depth in depths { try require(depth, in: Self.blocks, "depths") }
    try require(numbers.count == depths.count, field, found: numbers, expected: "\(depths.count) numbers")
  }

  func requireEpsilon(_ value: Float) throws(FamilyError) {
    try require(value > 0 && value < 1, "epsilon", found: value, expected: "above 0 and below 1")
  }

  func requireProbability(_ value: Float, _ field: String) throws(FamilyError) {
    try require(value >= 0 && value < 1, field, found: value, expected: "0 or more and below 1")
  }
}
