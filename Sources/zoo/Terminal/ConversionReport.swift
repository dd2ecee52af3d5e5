import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats

/// What `convert` tells of its work.
struct ConversionReport: Encodable {
  struct Side: Encodable {
    let name: String
    let summary: String
    let tensors: Int
    let isKept: Bool
  }
  let source: String
  let format: String
  let naming: String?
  let model: String?
  let classes: Int?
  /// What the network is for; nil where nobody knows the model.
  let task: String?
  /// Of the weights that are published.
  let publishedClasses: Int?
  let parameters: Int
  let tensors: Int
  let checksum: String
  let sha256: String
  let output: String
  let bytes: Int
  let digest: String
  let seconds: Double
  let skipped: [String]
  let beside: [Side]
  let aliases: [String: String]
  let overlaps: [String]
  let absent: [String]
  let newlyInitialised: [String]
  let wrapper: String?
  let nearest: [String]
  /// What the publisher's network has otherwise than the model: `epsilon 1e-12`.
  let settings: [String]
  /// Networks of other computations that have the same names.
  let caution: String?
  let fit: FitReport?
  let rereading: Rereading?

  init(_ outcome: Conversion.Outcome, duration: Duration) {
    source = outcome.source.path
    format = outcome.source.format.displayName
    naming = outcome.identification?.naming
    model = outcome.identification?.model.name
    classes = outcome.identification?.classes
    task = (try? outcome.identification?.description.task())?.rawValue
    publishedClasses = outcome.identification?.model.classes
    parameters = outcome.parameters
    tensors = outcome.tensors
    checksum = Self.words(outcome.checksum)
    sha256 = outcome.sha256
    output = outcome.written.path
    bytes = outcome.written.bytes
    digest = outcome.written.digest
    seconds = duration / .seconds(1)
    let kept = Set(outcome.kept.tensors + outcome.kept.values.keys)
    let sides = outcome.source.sides
    beside = sides.map { side in
      let isKept = kept.contains { $0 == side.name || $0.hasPrefix(side.name + ".") }
      return Side(name: side.name, summary: side.summary, tensors: side.tensorCount, isKept: isKept)
    }
    skipped =
      outcome.source.skipped
      .filter { entry in
        !sides.contains { $0.name == entry.name || $0.tensorCount > 0 && entry.name.hasPrefix($0.name) }
      }
      .map { "\($0.name): \($0.reason)" } + sides.flatMap { $0.unreadable.map { "\($0): can't be read" } }
    aliases = outcome.aliases
    overlaps = outcome.overlaps.map {
      "\($0.name) is \($0.isWhole ? "another view of" : "partly the memory of") \($0.other)"
    }
    absent = outcome.absent
    newlyInitialised = CheckpointMetadata(outcome.source.metadata).newlyInitialised
    wrapper = outcome.source.wrapper
    nearest =
      outcome.identification == nil
      ? outcome.candidates.prefix(3).map { candidate in
        let isAlike = candidate.isExact || candidate.isHeadless
        return "\(candidate.model.name) (\(candidate.naming))"
          + (isAlike
            ? ": fits as well as others; --model \(candidate.model.name) decides"
            : candidate.differences.first.map { ": \($0)" }
              ?? ": \(candidate.missing.count) missing, \(candidate.extra.count) extra, \(candidate.misshapen.count) misshapen")
      } : []
    settings = outcome.identification?.ownSettings ?? []
    caution = outcome.identification?.caution
    fit = outcome.fit
    rereading = outcome.rereading
  }

  static func words(_ verdict: ChecksumVerdict) -> String {
    switch verdict {
    case .published(let file): "published by \(file.publisher) as \(file.file) (\(file.weights))"
    case .older(let file):
      "published by \(file.publisher) as \(file.file), today \(file.replacedBy ?? "under another name") (\(file.weights))"
    case .contradicted(let promised, _): "DOES NOT MATCH the name, which promises \(promised)"
    case .unknown: "not a published file"
    }
  }

  var text: String {
    let text = LabelledLines(recognition + contents + result).description
    return fit.map { text + "\n" + FitText($0).text } ?? text
  }

  private var recognition: [(String, String)] {
    var lines: [(String, String)] = []
    let inside = wrapper.map { ", inside \($0)" } ?? ""
    lines.append(("read", "\(format)\(naming.map { ", \($0) names" } ?? "")\(inside)"))
    if let model {
      let words = absent.isEmpty ? classes.map(head(of:)) ?? "" : "without its head"
      lines.append(("model", "\(model), \(words), \(Quantity.count(parameters)) parameters"))
    } else {
      lines.append(
        (
          "model",
          "not in the catalogue: \(tensors == 1 ? "1 tensor" : "\(tensors) tensors"), \(Quantity.count(parameters)) values, names kept"
        ))
      for candidate in nearest { lines.append(("nearest", candidate)) }
    }
    if !settings.isEmpty { lines.append(("with", settings.joined(separator: ", "))) }
    if let caution { lines.append(("caution", caution)) }
    if !absent.isEmpty { lines.append(("head", "ABSENT: \(absent.joined(separator: ", "))")) }
    if !newlyInitialised.isEmpty {
      lines.append(("trained", "NEWLY INITIALISED: \(newlyInitialised.listedTensors)"))
    }
    lines.append(("checksum", "\(sha256.prefix(8))… \(checksum)"))
    return lines
  }

  private func head(of classes: Int) -> String {
    guard classes > 0 else { return task ?? "no classes" }
    let isOther = publishedClasses.map { $0 != classes } ?? false
    return "\(classes) classes" + (isOther ? " (a head of its own; --head drop leaves it out)" : "")
  }

  private var contents: [(String, String)] {
    var lines: [(String, String)] = []
    let tied = aliases.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
    if !tied.isEmpty { lines.append(("shared", "stored once: " + Self.short(tied))) }
    if !overlaps.isEmpty { lines.append(("overlap", Self.short(overlaps) + "; stored on its own")) }
    for side in beside {
      let count = side.tensors == 1 ? "1 tensor" : "\(side.tensors) tensors"
      let words = side.tensors == 0 ? side.summary : "\(side.summary) (\(count))"
      lines.append((side.isKept ? "kept" : "left out", "\(side.name): \(words)"))
    }
    if beside.contains(where: { !$0.isKept && $0.tensors > 0 }) {
      lines.append(("", "--keep optimizer or --keep all carries what is left out"))
    }
    if !skipped.isEmpty { lines.append(("skipped", Self.short(skipped))) }
    return lines
  }

  private var result: [(String, String)] {
    var lines = [("wrote", "\(output), \(Quantity.bytes(bytes)) in \(Quantity.seconds(.seconds(seconds)))")]
    if let rereading {
      let parts = [
        rereading.identical > 0
          ? "\(rereading.identical) \(rereading.identical == 1 ? "tensor" : "tensors") bit for bit" : nil,
        rereading.rounded > 0 ? "\(rereading.rounded) rounded to the nearest" : nil,
      ].compactMap(\.self)
      lines.append(("verified", "read again: \(parts.joined(separator: ", ")), digest \(digest.prefix(16))…"))
    }
    return lines
  }

  private static func short(_ items: [String]) -> String {
    items.prefix(4).joined(separator: "; ") + (items.count > 4 ? "; and \(items.count - 4) more" : "")
  }
}
