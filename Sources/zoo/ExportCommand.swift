import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooExport
import ZooInference

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a model for another framework.",
    discussion: """
      Takes a checkpoint or any file that convert reads. Names and layouts are the target framework's own; labels and \
      preprocessing go along in the format's place for such things, and converting the file back gives the same \
      checkpoint.
      """)

  @Argument(help: "A weight file, its https address, or the name of a model in the store.", completion: .file())
  var model: String
  @Option(
    help: .init(
      "The format: " + ExportTarget.available.map(\.rawValue).joined(separator: ", ") + ".", valueName: "format"))
  var to: String
  @Option(name: .shortAndLong, help: "The file to write; default: the model's stem with the format's extension.")
  var output: String?
  @Option(help: "What floating-point tensors become: float32, float16, bfloat16, …; default: as they are.")
  var dtype: String?
  @Flag(help: "Replace the output if it exists.")
  var force = false
  @OptionGroup var display: DisplayOptions

  func run() throws {
    guard let target = ExportTarget(rawValue: to), target.exporter != nil else {
      throw UsageError(
        problem: "--to \(to): expected " + ExportTarget.available.map(\.rawValue).joined(separator: ", "),
        advice: "see zoo export --help")
    }
    let catalog = try display.catalog()
    let path = try LoadedModel.path(of: display.local(model), catalog: catalog)
    let named = display.nameHere(model, at: path)
    var export = Export(to: target, catalog: catalog)
    export.options = ExportOptions(dtype: try floatingPointType(dtype), overwrite: force)
    let clock = ContinuousClock()
    var result: Export.Outcome?
    let duration = try clock.measure { result = try export.run(path, to: output ?? export.defaultOutput(for: named)) }
    guard let result else { return }
    let report = ExportReport(result, target: target, duration: duration)
    if display.json { return print(jsonLine(report)) }
    if !display.quiet { print(report.text) }
  }
}

/// What `export` tells of its work.
private struct ExportReport: Encodable {
  let source: String
  let format: String
  let model: String?
  let classes: Int?
  let task: String?
  let labels: Int
  let tensors: Int
  let tied: Int
  let output: String
  let bytes: Int
  let seconds: Double
  let notes: [String]

  init(_ outcome: Export.Outcome, target: ExportTarget, duration: Duration) {
    source = outcome.source.path
    format = target.rawValue
    model = outcome.source.metadata.model
    classes = outcome.source.description?.classes
    task = (try? outcome.source.description?.task())?.rawValue
    labels = outcome.source.metadata.labels?.count ?? 0
    tensors = outcome.written.tensors
    tied = outcome.source.metadata.aliases.count
    output = outcome.written.path
    bytes = outcome.written.bytes
    seconds = duration / .seconds(1)
    notes = outcome.written.notes
  }

  var text: String {
    var lines: [(String, String)] = []
    let shared = tied > 0 ? ", \(tied) tied to another" : ""
    if let model, let classes {
      let words = classes > 0 ? "\(classes) classes\(labels > 0 ? " with labels" : "")" : task ?? "no classes"
      lines.append(("model", "\(model), \(words)"))
    } else {
      lines.append(("model", "not in the catalogue: names kept"))
    }
    lines.append(("tensors", "\(tensors)\(shared)"))
    lines += notes.map { ("note", $0) }
    lines.append(("wrote", "\(output), \(Quantity.bytes(bytes)) in \(Quantity.seconds(.seconds(seconds)))"))
    return LabelledLines(lines).description
  }
}
