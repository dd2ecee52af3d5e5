import Foundation
import ZooCheckpoint

/// Reads `.keras`: a zip of `config.json`, `metadata.json` and `model.weights.h5`.
///
/// The configuration only names layers; nothing in it is built or run.
enum KerasArchiveReader {
  private static let largestConfig = 64 << 20

  /// - Throws: ``FormatError``, ``ZipError``, ``WorkerError``, ``HDF5Error``.
  static func read(_ file: MappedFile, archive: ZipArchive) throws -> WeightFile {
    guard let entry = archive["model.weights.h5"] else {
      throw FormatError.keras(
        file: file.path,
        problem:
          "holds its weights as \(archive.entries.map(\.name).first { $0.hasPrefix("model.weights") } ?? "nothing")",
        expected: "model.weights.h5")
    }
    guard entry.method == .stored, entry.size > 0 else {
      throw FormatError.keras(
        file: file.path, problem: "has its weights compressed once more by zip",
        expected: "a stored member, as Keras writes it")
    }
    let record = archive.record(entry)
    try record.check()
    let contents = try HDF5Reader.contents(of: file, offset: entry.dataOffset, count: entry.size)
    var result = try KerasLayout.weightFile(contents, file: file, format: .keras, names: names(archive))
    for member in archive.entries where member.name.hasPrefix("assets/") {
      result.skipped.append(SkippedEntry(name: member.name, reason: "is an asset, not a weight"))
    }
    return result
  }

  /// Layers' names by their paths in the weights, as `config.json` gives them; empty where it can't be understood.
  private static func names(_ archive: ZipArchive) throws -> [String: String] {
    guard let entry = archive["config.json"], entry.size <= largestConfig else { return [:] }
    let data = try archive.record(entry).withBytes { Data($0) }
    guard let config = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return [:] }
    var names: [String: String] = [:]
    var pending = [(path: "", config: config, depth: 0)]
    while let next = pending.popLast() {
      guard let inner = next.config["config"] as? [String: Any], let layers = inner["layers"] as? [[String: Any]],
        next.depth < 32, names.count < 1 << 20
      else { continue }
      var counts: [String: Int] = [:]
      for layer in layers {
        guard let kind = layer["class_name"] as? String else { continue }
        let snake = snakeCase(kind)
        let number = counts[snake, default: 0]
        counts[snake] = number + 1
        let path = next.path + "/layers/" + (number == 0 ? snake : "\(snake)_\(number)")
        names[path] = (layer["config"] as? [String: Any])?["name"] as? String
        pending.append((path, layer, next.depth + 1))
      }
    }
    return names
  }

  /// As Keras spells a class in a path: `DepthwiseConv2D` is `depthwise_conv2d`.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.unicodeScalars)
    func isUpper(_ index: Int) -> Bool { index < letters.count && ("A"..."Z").contains(letters[index]) }
    func isLower(_ index: Int) -> Bool { index < letters.count && ("a"..."z").contains(letters[index]) }
    func isDigit(_ index: Int) -> Bool { index < letters.count && ("0"..."9").contains(letters[index]) }
    var result = ""
    for (index, letter) in letters.enumerated() {
      let startsWord = isUpper(index) && (isLower(index + 1) || isDigit(index + 1) || index > 0 && isLower(index - 1))
      if index > 0, startsWord { result += "_" }
      result.unicodeScalars.append(letter)
    }
    return result.lowercased()
  }
}
