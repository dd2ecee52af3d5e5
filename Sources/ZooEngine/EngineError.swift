/// Why a network can't be compiled or run.
public enum EngineError: Error, Sendable, Equatable {
  case missingWeight(name: String)
  case weightShape(name: String, expected: [Int], found: [Int])
  case inputShape(expected: [Int], found: [Int])
  case unsupported(node: String, problem: String)
  case kernel(node: String, problem: String)
  case tooLarge(shape: [Int])
  /// A sequence without tokens, or longer than the network has positions for.
  case sequenceLength(found: Int, limit: Int?)
  /// A token, position or type beyond an embedding's table.
  case noSuchRow(node: String, index: Int, rows: Int)
}
