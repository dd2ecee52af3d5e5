/// A labelled picture of a data set.
public struct Example: Splittable, Equatable {
  public let path: String
  /// Relative to the data folder: `train/cats/0001.jpg`.
  public let name: String
  /// Index into the data set's labels.
  public let label: Int
  /// SHA-256 of the file's bytes; nil where they can't be read.
  public let digest: String?

  public init(path: String, name: String, label: Int, digest: String?) {
    self.path = path
    self.name = name
    self.label = label
    self.digest = digest
  }
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
