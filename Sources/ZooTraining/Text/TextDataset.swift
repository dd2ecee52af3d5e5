import Foundation
import ZooCheckpoint

/// Texts with what a network is to make of them, divided into those to learn from and those to judge by.
public struct TextDataset: Sendable {
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
  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  public init(
    path: String, purpose: TextPurpose, columns: TextColumns = TextColumns(), seed: UInt64 = 0, head: Int? = nil
  ) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let files = try TextFiles(path: path)
    let training = try Self.texts(in: files.training, purpose, columns)
    let validation = try files.validation.map { try Self.texts(in: $0, purpose, columns) }
    self.path = files.path
    self.purpose = purpose
    let labels = purpose == .classes ? Self.sorted(Set(training.map(\.target))) : []
    self.labels = labels
    if purpose == .classes, labels.count < 2 {
      throw DataError.oneClass(folder: path, name: labels.first ?? "")
    }
    if let head, purpose == .classes, head != labels.count {
      throw DataError.headDisagrees(asked: head, folder: path, labels: labels)
    }
    let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    func example(_ text: Text) throws(DataError) -> TextExample {
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

  /// Whether each text comes with a class or an answer.
  ///
  /// - Throws: ``TableError``, ``DataError``, `FileError`.
  public static func hasTargets(path: String, columns: TextColumns = TextColumns()) throws -> Bool {
    let file = try TextFiles(path: path).training
    guard Table.extensions.contains(URL(filePath: file).pathExtension.lowercased()) else { return false }
    let table = try Table(path: file)
    return table.columns.contains(columns.target(of: table))
  }

  /// Texts on both sides of the split: judging by them flatters the network.
  public var sharedTexts: [Dataset.SharedPicture] {
    var known: [String: String] = [:]
    for example in training { if let digest = example.digest { known[digest] = example.name } }
    return validation.compactMap { example in
      example.digest.flatMap { known[$0] }.map { .init(training: $0, validation: example.name) }
    }
  }

  private struct Text {
    let name: String
    let text: String
    var pair: String?
    var target = ""
  }

  private static func texts(in path: String, _ purpose: TextPurpose, _ columns: TextColumns) throws -> [Text] {
    let file = URL(filePath: path).lastPathComponent
    guard Table.extensions.contains(URL(filePath: path).pathExtension.lowercased()) else {
      guard purpose == .continuation else { throw TableError.unknownKind(file: path) }
      return try paragraphs(of: path).map { Text(name: "\(file):\($0.line)", text: $0.text) }
    }
    let table = try Table(path: path)
    let texts = try table.values(of: columns.text(of: table))
    let targets = purpose == .continuation ? nil : try table.values(of: columns.target(of: table))
    let pairs = try columns.pair.map { try table.values(of: $0) }
    return table.records.indices.map { index in
      Text(
        name: "\(file):\(table.records[index].line)", text: texts[index], pair: pairs?[index],
        target: targets?[index] ?? "")
    }
  }

  /// What stands between empty lines.
  private static func paragraphs(of path: String) throws -> [(line: Int, text: String)] {
    let text = String(decoding: try Table.text(of: path), as: UTF8.self).replacing("\r\n", with: "\n")
    var found: [(line: Int, text: String)] = []
    var lines: [Substring] = []
    func end(_ line: Int) {
      if !lines.isEmpty { found.append((line - lines.count, lines.joined(separator: "\n"))) }
      lines = []
    }
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in all.enumerated() {
      if line.allSatisfy(\.isWhitespace) { end(index + 1) } else { lines.append(line) }
    }
    end(all.count + 1)
    guard !found.isEmpty else { throw TableError.noRecords(file: path) }
    return found
  }

  /// Whole numbers by their size, other names by their bytes.
  private static func sorted(_ names: Set<String>) -> [String] {
    let numbers = names.compactMap(Int.init)
    return numbers.count == names.count
      ? names.sorted { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) }
      : names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
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
