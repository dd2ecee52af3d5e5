/// A picture of a data set, and what is to be said of it.
public struct Example: Splittable, Equatable {
  public enum Target: Sendable, Equatable {
    /// An index into the data set's labels.
    case label(Int)
    /// Indices, rising; none where no label holds.
    case labels([Int])
    /// One for each of the data set's labels, which name them.
    case values([Double])
  }

  public let path: String
  /// Relative to the data folder: `train/cats/0001.jpg`.
  public let name: String
  public let target: Target
  /// SHA-256 of the file's bytes; nil where they can't be read.
  public let digest: String?

  public init(path: String, name: String, target: Target, digest: String?) {
    self.path = path
    self.name = name
    self.target = target
    self.digest = digest
  }

  public init(path: String, name: String, label: Int, digest: String?) {
    self.init(path: path, name: name, target: .label(label), digest: digest)
  }

  /// The class; 0 where a picture has none or several.
  public var label: Int { if case .label(let label) = target { label } else { 0 } }
  /// The class, or all labels that hold.
  public var labels: [Int] {
    switch target {
    case .label(let label): [label]
    case .labels(let labels): labels
    case .values: []
    }
  }
  public var values: [Double] { if case .values(let values) = target { values } else { [] } }
}

/// A picture that was left out.
public struct SkippedPicture: Sendable, Equatable, Codable {
  public let name: String
  public let reason: String

  public init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}
