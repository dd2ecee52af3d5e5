import Foundation
import ZooCheckpoint

/// Texts with what a network is to make of them, divided into those to learn from and those to judge by.
public struct TextDataset: DividedData, Sendable {
  public static let examples = "texts"
  public let path: String
  public let purpose: TextPurpose
  /// Names of the classes, in the order of the logits; empty where texts have none.
  public let labels: [String]
  public let training: [TextExample]
  public let validation: [TextExample]

  /// Reads a file, or a folder's `train` and `val` (`validation`, `dev`) files.
  ///
  /// - Parameters:
  ///   - path: `.csv`, `.tsv` or `.jsonl` of texts and classes or answers; `.txt` for continuation, in which empty lines
  ///     part the texts.
  ///   - seed: of the split.
  ///   - head: number of classes asked for; nil lets the data decide.
  ///   - choose: what the texts are learnt for, by whether each comes with a class or an answer.
  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  public init(
    path: String, columns: TextColumns = TextColumns(), seed: UInt64 = 0, head: Int? = nil,
    purpose choose: (_ hasTargets: Bool) -> TextPurpose
  ) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let files = try TextFiles(path: path)
    let source = try TextSource(path: files.training)
    let purpose = choose(source.hasTargets(columns))
    let training = try source.texts(for: purpose, columns)
    let validation = try files.validation.map { try TextSource(path: $0).texts(for: purpose, columns) }
    self.path = files.path
    self.purpose = purpose
    let labels = purpose == .classes ? Set(training.map(\.target)).sortedAsLabels : []
    self.labels = labels
    if purpose == .classes, labels.count < 2 {
      throw DataError.oneClass(folder: path, name: labels.first ?? "")
    }
    if let head, purpose == .classes, head != labels.count {
      throw DataError.headDisagrees(asked: head, folder: path, labels: labels)
    }
    let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    func example(_ text: TextSource.Text) throws(DataError) -> TextExample {
      let target: TextExample.Target
      switch purpose {
      case .continuation: target = .itself
      case .answers: target = .answer(text.target)
      case .classes:
        guard let place = places[text.target] else {
          throw .unknownClass(folder: text.name, name: text.target, known: labels)
        }
        target = .label(place)
      }
      return TextExample(name: text.name, text: text.text, pair: text.pair, target: target)
    }
    let learnt = try training.map(example)
    if let validation {
      (self.training, self.validation) = (learnt, try validation.map(example))
    } else {
      (self.training, self.validation) = StratifiedSplit.divide(learnt, seed: seed)
    }
    guard !self.validation.isEmpty else { throw DataError.noValidation(folder: path) }
  }

  /// Whether a path is named as texts are, or is a folder with such files; a table may be of pictures all the same.
  public static func mayStand(at path: String) -> Bool { TextFiles.areNamed(by: path) }
}

/// Where a data set's texts stand.
struct TextFiles {
  let path: String
  let training: String
  let validation: String?

  private static let validationNames = ["val", "validation", "dev"]
  private static let extensions = Table.extensions + ["txt"]

  /// - Throws: ``DataError/noTexts(folder:)``.
  init(path: String) throws {
    let base = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.path = base
    guard FileManager.default.isFolder(base) else {
      (training, validation) = (base, nil)
      return
    }
    guard let training = Self.file("train", in: base) else { throw DataError.noTexts(folder: base) }
    self.training = training
    validation = Self.validationNames.lazy.compactMap { Self.file($0, in: base) }.first
  }

  private static func file(_ name: String, in folder: String) -> String? {
    extensions.map { "\(folder)/\(name).\($0)" }.first(where: FileManager.default.fileExists)
  }

  /// Whether a path is named as texts are, or is a folder with such files.
  static func areNamed(by path: String) -> Bool {
    FileManager.default.isFolder(path)
      ? file("train", in: path) != nil : extensions.contains(URL(filePath: path).pathExtension.lowercased())
  }
}
