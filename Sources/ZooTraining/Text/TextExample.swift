import ZooCheckpoint

/// A text of a data set.
public struct TextExample: Splittable, Equatable {
  /// What a network is to make of it.
  public enum Target: Sendable, Equatable {
    /// A class, an index into the data set's labels.
    case label(Int)
    /// Another text.
    case answer(String)
    /// What the text itself goes on with.
    case itself
  }

  /// File and line: `reviews.csv:12`.
  public let name: String
  public let text: String
  /// A second text, such as the answer to a question.
  public let pair: String?
  public let target: Target

  public init(name: String, text: String, pair: String? = nil, target: Target) {
    self.name = name
    self.text = text
    self.pair = pair
    self.target = target
  }

  public var label: Int { if case .label(let label) = target { label } else { 0 } }
  public var digest: String? { Digest.sha256(of: text + "\0" + (pair ?? "")) }
}

/// What texts are learnt for.
public enum TextPurpose: String, Codable, Sendable, Equatable {
  /// A class for each text.
  case classes
  /// A text for each text.
  case answers
  /// Going on with a text.
  case continuation
}

/// Names of a table's columns.
public struct TextColumns: Codable, Sendable, Equatable {
  public var text: String?
  /// Of a second text.
  public var pair: String?
  /// Of the class or the answer.
  public var target: String?

  public init(text: String? = nil, pair: String? = nil, target: String? = nil) {
    self.text = text
    self.pair = pair
    self.target = target
  }

  /// The first of the usual names that a table has, where none was chosen.
  func text(of table: Table) -> String { text ?? table.column(among: ["text", "input", "sentence"]) }
  func target(of table: Table) -> String { target ?? table.column(among: ["label", "target", "output"]) }
}
