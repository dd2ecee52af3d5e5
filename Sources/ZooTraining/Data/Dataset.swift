import Foundation
import ZooCheckpoint

/// Pictures with what is to be said of them, divided into those to learn from and those to judge by.
public struct Dataset: DividedData, Sendable {
  public static let examples = "pictures"
  public let folder: String
  /// What the pictures are learnt for.
  public let problem: ProblemType
  /// Why the table is read so, where nobody asked for it; nil for classes.
  public let reason: String?
  /// Names of the classes, labels or values, in the order of the outputs.
  public let labels: [String]
  public let training: [Example]
  public let validation: [Example]

  /// Opens `folder/train` and `folder/val` where they exist, else splits the class folders in `folder`; a folder with a
  /// `metadata.jsonl` (or `.csv`) is what that lists, and so is a table.
  ///
  /// - Parameters:
  ///   - folder: the folder, or the table.
  ///   - columns: of the table, and what they are read as.
  ///   - seed: of the split.
  ///   - head: number of outputs asked for; nil lets the data decide.
  ///   - split: a table of pictures and the parts they belong to, instead of a seeded split.
  /// - Throws: ``DataError``, ``TableError``, `FileError`.
  public init(
    folder: String, columns: PictureColumns = PictureColumns(), seed: UInt64 = 0, head: Int? = nil,
    split: String? = nil
  ) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let parts = try Parts(base, columns: columns)
    (labels, problem, reason) = (parts.labels, parts.problem, parts.reason)
    if let split {
      (training, validation) = try SplitFile(path: split).divide(parts.training + (parts.validation ?? []))
    } else if let validation = parts.validation {
      (training, self.validation) = (parts.training, validation)
    } else {
      (training, validation) = PictureStrata.divide(parts.training, problem: problem, seed: seed)
    }
    self.folder = base
    if let head, head != labels.count { throw DataError.headDisagrees(asked: head, folder: base, labels: labels) }
    guard !validation.isEmpty else { throw DataError.noValidation(folder: base) }
    try check()
  }

  /// - Throws: ``DataError`` where there is nothing to learn of a label or value.
  private func check() throws(DataError) {
    guard problem != .regression else {
      for (place, name) in labels.enumerated() where Set(training.map { $0.values[place] }).count < 2 {
        throw .constantValue(folder: folder, column: name)
      }
      return
    }
    let learnt = Set(training.flatMap(\.labels))
    let missing = labels.indices.filter { !learnt.contains($0) }.map { labels[$0] }
    guard missing.isEmpty else { throw .neverLearnt(folder: folder, names: missing) }
  }

  /// Training pictures that each class or label holds of; of numbers none.
  public var trainingCounts: [Int] {
    guard problem != .regression else { return [] }
    var counts = [Int](repeating: 0, count: labels.count)
    for example in training { for label in example.labels { counts[label] += 1 } }
    return counts
  }

  /// All examples, those for validation apart where the data says which they are.
  private struct Parts {
    var labels: [String]
    var problem = ProblemType.classes
    var reason: String?
    var training: [Example]
    var validation: [Example]?

    init(_ base: String, columns: PictureColumns) throws {
      let isDivided = FileManager.default.isFolder(base + "/train")
      let other = Dataset.validationNames.first { FileManager.default.isFolder("\(base)/\($0)") }
      if isDivided, let other {
        if let train = PictureTable.metadata(in: base + "/train"),
          let held = PictureTable.metadata(in: "\(base)/\(other)")
        {
          let learnt = try PictureTable(path: train, columns: columns)
          labels = try Dataset.checked(learnt, base)
          (problem, reason) = (learnt.reading.problem, learnt.reason)
          training = try learnt.examples(prefix: "train/", labels: labels)
          validation = try PictureTable(path: held, columns: learnt.reading.columns)
            .examples(prefix: other + "/", labels: labels)
          return
        }
        try Self.require(columns, base)
        let learnt = try ClassFolders(folder: base + "/train", prefix: "train/")
        let judged = try ClassFolders(folder: "\(base)/\(other)", prefix: other + "/", known: learnt.labels)
        (labels, training, validation) = (learnt.labels, learnt.examples, judged.examples)
        return
      }
      guard let path = PictureTable.metadata(in: base) ?? (Dataset.isTable(base) ? base : nil) else {
        try Self.require(columns, base)
        let all = try ClassFolders(folder: base)
        (labels, training, validation) = (all.labels, all.examples, nil)
        return
      }
      let table = try PictureTable(path: path, columns: columns)
      labels = try Dataset.checked(table, path)
      (problem, reason) = (table.reading.problem, table.reason)
      training = try table.examples(labels: labels) { $0.part != .validation && $0.part != .neither }
      let judged = try table.examples(labels: labels) { $0.part == .validation }
      validation = judged.isEmpty ? nil : judged
    }

    private static func require(_ columns: PictureColumns, _ base: String) throws(DataError) {
      guard let problem = columns.problem, problem != .classes else { return }
      throw .foldersOfClasses(folder: base, problem: problem)
    }
  }

  private static func checked(_ table: PictureTable, _ folder: String) throws(DataError) -> [String] {
    let labels = table.labels
    guard labels.count > 1 || table.reading.problem != .classes else {
      throw .oneClass(folder: folder, name: labels.first ?? "")
    }
    guard !labels.isEmpty else { throw .noLabels(folder: folder) }
    return labels
  }

  /// Whether it is a file that lists pictures, rather than a folder of them.
  private static func isTable(_ path: String) -> Bool {
    !FileManager.default.isFolder(path) && FileManager.default.fileExists(atPath: path)
      && Table.extensions.contains(URL(filePath: path).pathExtension.lowercased())
  }

  /// The pictures kept for validation where the folder is divided, else all of them.
  ///
  /// - Throws: ``DataError``, ``TableError``, `FileError`.
  static func held(
    in folder: String, labels: [String], problem: ProblemType = .classes, folderNames: [String: Int] = [:]
  ) throws -> [Example] {
    let base = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let part =
      validationNames.map { "\(base)/\($0)" }
      .first { FileManager.default.isFolder($0) && !labels.contains(URL(filePath: $0).lastPathComponent) } ?? base
    guard let path = PictureTable.metadata(in: part) ?? (isTable(part) ? part : nil) else {
      guard problem == .classes else { throw DataError.foldersOfClasses(folder: part, problem: problem) }
      return try ClassFolders(folder: part, known: labels, names: folderNames).examples
    }
    let table = try PictureTable(
      path: path, columns: PictureColumns(for: labels, problem: problem, in: Table(path: path)))
    let judged = try table.examples(labels: labels) { $0.part == .validation }
    return judged.isEmpty ? try table.examples(labels: labels) : judged
  }

  private static let validationNames = ["val", "validation"]
}
