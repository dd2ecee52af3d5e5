import Foundation
import ZooCheckpoint

/// Pictures with a class for each pixel, divided into those to learn from and those to judge by.
public struct SegmentationDataset: DividedData, Sendable {
  public static let examples = "pictures"
  /// The folder, or the table.
  public let path: String
  /// Names of the classes, in the order of the logits and of the masks' numbers.
  public let labels: [String]
  public let training: [MaskedExample]
  public let validation: [MaskedExample]
  /// Training pictures that show each class.
  public let trainingCounts: [Int]
  /// Training pixels of each class.
  public let trainingPixels: [Int]
  public let skipped: [SkippedPicture]

  /// Whether a folder or a table looks like pictures with masks.
  public static func mayStand(at path: String) -> Bool { MaskLayout.isAt(path) }

  /// Reads a folder of pictures and masks, or a table of them; see ``MaskLayout``. Every mask is read and held to its
  /// picture. Names of the classes come from a `classes.txt` there, a line a class.
  ///
  /// - Parameters:
  ///   - seed: of the split, where the data has none.
  ///   - head: number of classes asked for; nil lets the data decide.
  ///   - split: a table of pictures and the parts they belong to, instead of a seeded split.
  ///   - progress: called with the pictures looked at, and their number.
  /// - Throws: ``MaskDataError``, ``DataError``, ``TableError``, `PictureError`, `FileError`.
  public init(
    path: String, seed: UInt64 = 0, head: Int? = nil, split: String? = nil,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    if let head, head < 2 { throw DataError.headTooSmall(asked: head) }
    let base = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    let names = try Self.names(base)
    if let head, let names, head != names.labels.count {
      throw MaskDataError.headDisagrees(asked: head, file: names.file, classes: names.labels.count)
    }
    if let head, head > 255 { throw MaskDataError.tooManyClasses(file: base, classes: head) }
    let layout = try MaskLayout(path: base)
    let total = layout.training.count + (layout.validation?.count ?? 0)
    let learnt = try MaskScan(layout.training) { progress($0, total) }
    let judged = try layout.validation.map { pairs in
      try MaskScan(pairs) { progress(layout.training.count + $0, total) }
    }
    let highest = [learnt.highest, judged?.highest].compactMap(\.self).max()
    let labels = names?.labels ?? (0..<(head ?? (highest ?? 0) + 1)).map { "class \($0)" }
    try learnt.check(classes: labels.count)
    try judged?.check(classes: labels.count)
    guard !learnt.found.isEmpty else {
      throw TrainingError.nothingReadable(folder: base, reason: learnt.skipped.first?.reason ?? "")
    }
    let all = learnt.found + (judged?.found ?? [])
    let examples = all.map(\.example)
    if let split {
      (training, validation) = try SplitFile(path: split).divide(examples)
    } else if let judged {
      (training, validation) = (learnt.found.map(\.example), judged.found.map(\.example))
    } else {
      (training, validation) = StratifiedSplit.divide(examples, seed: seed)
    }
    guard !validation.isEmpty, !training.isEmpty else { throw DataError.noValidation(folder: base) }
    self.path = base
    self.labels = labels
    skipped = learnt.skipped + (judged?.skipped ?? [])
    let chosen = Set(training.map(\.name))
    let inTraining = MaskScan(all.filter { chosen.contains($0.example.name) })
    let pixels = inTraining.pixels(classes: labels.count)
    trainingPixels = pixels
    trainingCounts = inTraining.pictures(classes: labels.count)
    let present = pixels.indices.filter { pixels[$0] > 0 }
    guard present.count > 1 else { throw MaskDataError.oneClass(folder: base, number: present.first) }
  }

  /// Classes that no training pixel has.
  public var absentLabels: [String] { labels.indices.filter { trainingPixels[$0] == 0 }.map { labels[$0] } }

  /// Pictures to judge by: those kept for validation where the data is divided, else all.
  ///
  /// - Parameters:
  ///   - labels: of the network.
  ///   - isNamed: whether they are its own, so that the data's must be the same.
  /// - Throws: as ``init(path:seed:head:split:progress:)``.
  static func held(
    in path: String, labels: [String], isNamed: Bool, progress: (Int, Int) -> Void
  ) throws -> (examples: [MaskedExample], skipped: [SkippedPicture]) {
    let base = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if let names = try names(base), isNamed, names.labels != labels {
      let place = zip(names.labels, labels).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      throw MaskDataError.otherClasses(
        file: names.file, number: place ?? min(names.labels.count, labels.count), named: names.labels, known: labels)
    }
    let layout = try MaskLayout(path: base)
    let pairs = layout.validation ?? layout.training
    let scan = try MaskScan(pairs) { progress($0, pairs.count) }
    try scan.check(classes: labels.count)
    guard !scan.found.isEmpty else {
      throw TrainingError.nothingReadable(folder: base, reason: scan.skipped.first?.reason ?? "")
    }
    return (scan.found.map(\.example), scan.skipped)
  }

  /// The classes' names, and the file that they stand in.
  private static func names(_ base: String) throws -> (labels: [String], file: String)? {
    let folder = FileManager.default.isFolder(base) ? base : URL(filePath: base).deletingLastPathComponent().path
    let file = folder + "/classes.txt"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let text = String(decoding: try Table.text(of: file), as: UTF8.self)
    var labels: [String] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let name = line.trimmingCharacters(in: .whitespaces)
      if name.isEmpty { continue }
      guard !labels.contains(name) else {
        throw MaskDataError.repeatedClass(file: file, line: index + 1, name: name)
      }
      labels.append(name)
    }
    guard labels.count <= 255 else { throw MaskDataError.tooManyClasses(file: file, classes: labels.count) }
    return labels.isEmpty ? nil : (labels, file)
  }
}
