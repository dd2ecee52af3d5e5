import Foundation

/// Labelled pictures, divided into those to learn from and those to judge by.
public struct Dataset: DividedData, Sendable {
  public static let examples = "pictures"
  public let folder: String
  /// Names of the classes, in the order of the logits.
  public let labels: [String]
  public let training: [Example]
  public let validation: [Example]

  /// Opens `folder/train` and `folder/val` where they exist, else splits the class folders in `folder`; a folder with a
  /// `metadata.jsonl` (or `.csv`) is what that lists, and so is a table.
  ///
  /// - Parameters:
  ///   - folder: the folder, or the table.
  ///   - seed: of the split.
  ///   - head: number of classes asked for; nil lets the data decide.
  ///   - split: a table of pictures and the parts they belong to, instead of a seeded split.
  /// - Throws: ``DataError``, ``TableError``, `FileError`.
  public init(folder: String, seed: UInt64 = 0, head: Int? = nil, split: String? = nil) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let parts = try Self.parts(base)
    labels = parts.labels
    if let split {
      (training, validation) = try SplitFile(path: split).divide(parts.training + (parts.validation ?? []))
    } else if let validation = parts.validation {
      (training, self.validation) = (parts.training, validation)
    } else {
      (training, validation) = StratifiedSplit.divide(parts.training, seed: seed)
    }
    self.folder = base
    if let head, head != labels.count { throw DataError.headDisagrees(asked: head, folder: base, labels: labels) }
    guard !validation.isEmpty else { throw DataError.noValidation(folder: base) }
  }

  /// - Returns: all examples, those for validation apart where the data says which they are.
  private static func parts(_ base: String) throws -> (labels: [String], training: [Example], validation: [Example]?) {
    let isDivided = FileManager.default.isFolder(base + "/train")
    let other = validationNames.first { FileManager.default.isFolder("\(base)/\($0)") }
    if isDivided, let other {
      if let train = PictureTable.metadata(in: base + "/train"),
        let held = PictureTable.metadata(in: "\(base)/\(other)")
      {
        let (learnt, judged) = (try PictureTable(path: train).rows, try PictureTable(path: held).rows)
        let labels = try checked(PictureTable.labels(of: learnt), base)
        return (
          labels, try PictureTable.examples(learnt, prefix: "train/", labels: labels, folder: base),
          try PictureTable.examples(judged, prefix: other + "/", labels: labels, folder: base)
        )
      }
      let training = try ClassFolders(folder: base + "/train", prefix: "train/")
      let validation = try ClassFolders(folder: "\(base)/\(other)", prefix: other + "/", known: training.labels)
      return (training.labels, training.examples, validation.examples)
    }
    guard let table = PictureTable.metadata(in: base) ?? (isTable(base) ? base : nil) else {
      let all = try ClassFolders(folder: base)
      return (all.labels, all.examples, nil)
    }
    let rows = try PictureTable(path: table).rows
    let labels = try checked(PictureTable.labels(of: rows), table)
    let learnt = try PictureTable.examples(
      rows.filter { $0.part != .validation && $0.part != .neither }, labels: labels, folder: table)
    let judged = try PictureTable.examples(rows.filter { $0.part == .validation }, labels: labels, folder: table)
    return (labels, learnt, judged.isEmpty ? nil : judged)
  }

  private static func checked(_ labels: [String], _ table: String) throws(DataError) -> [String] {
    guard labels.count > 1 else { throw .oneClass(folder: table, name: labels.first ?? "") }
    return labels
  }

  /// Whether it is a file that lists pictures, rather than a folder of them.
  private static func isTable(_ path: String) -> Bool {
    !FileManager.default.isFolder(path) && FileManager.default.fileExists(atPath: path)
      && Table.extensions.contains(URL(filePath: path).pathExtension.lowercased())
  }

  /// The pictures kept for validation where the folder is divided, else all of them.
  ///
  /// - Throws: ``DataError``, `FileError`.
  static func held(in folder: String, labels: [String], folderNames: [String: Int] = [:]) throws -> [Example] {
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let part =
      validationNames.map { "\(base)/\($0)" }
      .first { FileManager.default.isFolder($0) && !labels.contains(URL(filePath: $0).lastPathComponent) } ?? base
    guard let table = PictureTable.metadata(in: part) ?? (isTable(part) ? part : nil) else {
      return try ClassFolders(folder: part, known: labels, names: folderNames).examples
    }
    let rows = try PictureTable(path: table).rows
    let judged = rows.filter { $0.part == .validation }
    return try PictureTable.examples(judged.isEmpty ? rows : judged, labels: labels, folder: table)
  }

  private static let validationNames = ["val", "validation"]
}
