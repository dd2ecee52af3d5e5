import Foundation

/// Labelled pictures, divided into those to learn from and those to judge by.
public struct Dataset: Sendable {
  public let folder: String
  /// Names of the classes, in the order of the logits.
  public let labels: [String]
  public let training: [Example]
  public let validation: [Example]

  /// A picture that stands on both sides of the split: judging by it flatters the network.
  public struct SharedPicture: Sendable, Equatable {
    public let training: String
    public let validation: String
  }

  /// Opens `folder/train` and `folder/val` where they exist, else splits the class folders in `folder`.
  ///
  /// - Parameters:
  ///   - seed: of the split.
  ///   - head: number of classes asked for; nil lets the folders decide.
  /// - Throws: ``DataError``, `FileError`.
  public init(folder: String, seed: UInt64 = 0, head: Int? = nil) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    if Self.isFolder(base + "/train"),
      let other = Self.validationNames.first(where: { Self.isFolder("\(base)/\($0)") })
    {
      let training = try ClassFolders(folder: base + "/train", prefix: "train/")
      let validation = try ClassFolders(folder: "\(base)/\(other)", prefix: other + "/", known: training.labels)
      labels = training.labels
      self.training = training.examples
      self.validation = validation.examples
    } else {
      let all = try ClassFolders(folder: base)
      labels = all.labels
      (training, validation) = StratifiedSplit.divide(all.examples, seed: seed)
    }
    self.folder = base
    if let head, head != labels.count { throw DataError.headDisagrees(asked: head, folder: base, labels: labels) }
    guard !validation.isEmpty else { throw DataError.noValidation(folder: base) }
  }

  /// The pictures kept for validation where the folder is divided, else all of them.
  ///
  /// - Throws: ``DataError``, `FileError`.
  static func held(in folder: String, labels: [String], folderNames: [String: Int] = [:]) throws -> [Example] {
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let part = validationNames.first { isFolder("\(base)/\($0)") && !labels.contains($0) }
    return try ClassFolders(folder: part.map { "\(base)/\($0)" } ?? base, known: labels, names: folderNames)
      .examples
  }

  /// Pictures whose bytes are on both sides.
  public var sharedPictures: [SharedPicture] {
    var byDigest: [String: String] = [:]
    for example in training { if let digest = example.digest { byDigest[digest] = example.name } }
    return validation.compactMap { example in
      example.digest.flatMap { byDigest[$0] }.map { SharedPicture(training: $0, validation: example.name) }
    }
  }

  private static let validationNames = ["val", "validation"]

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }
}
