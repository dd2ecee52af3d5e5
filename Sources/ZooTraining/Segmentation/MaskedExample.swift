/// A picture of a data set with a class for each of its pixels.
public struct MaskedExample: Splittable, PicturedExample, Equatable {
  public let path: String
  /// A PNG file of the picture's size, whose values are numbers of classes.
  public let maskPath: String
  /// Relative to the data folder: `images/0001.jpg`.
  public let name: String
  /// SHA-256 of the picture's bytes; nil where they can't be read.
  public let digest: String?
  /// SHA-256 of the mask's bytes.
  public let maskDigest: String?

  public init(path: String, maskPath: String, name: String, digest: String?, maskDigest: String? = nil) {
    self.path = path
    self.maskPath = maskPath
    self.name = name
    self.digest = digest
    self.maskDigest = maskDigest
  }

  /// The same for all: a picture has pixels of many classes.
  public var label: Int { 0 }
}
