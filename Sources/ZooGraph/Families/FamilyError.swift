/// Why a family can't build a network from a configuration.
public enum FamilyError: Error, Sendable, Equatable {
  case unknown(family: String, known: [String])
  /// The configuration isn't JSON, or lacks or misspells a field.
  case unreadable(family: String, problem: String)
  case badField(family: String, field: String, found: String, expected: String)
}
