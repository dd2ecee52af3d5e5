import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooConvert

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Turn a weight file into a canonical checkpoint.",
    discussion: """
      Reads PyTorch (zip, legacy, TorchScript), safetensors, Keras, ONNX, NumPy, GGUF and TensorFlow checkpoints, single \
      or sharded, whatever their extension, and folders as Hugging Face lays them out. Weights of a known model get its \
      own names, labels and preprocessing; any others keep their names. Nothing in the file is run.
      """)

  @Argument(help: "The weight file: its path or its https address.", completion: .file())
  var file: String
  @Option(name: .shortAndLong, help: "The checkpoint to write; default: the file's stem with .safetensors beside it.")
  var output: String?
  @Option(help: "What floating-point tensors become: float32, float16, bfloat16, …; default: as they are.")
  var dtype: String?
  @Flag(help: "Replace the output if it exists.")
  var force = false
  @Flag(help: "Take the tensors out of a file that would run code when loaded in Python.")
  var salvage = false
  @OptionGroup var display: DisplayOptions

  func run() throws {
    var conversion = Conversion(catalog: try display.catalog())
    conversion.dtype = try floatingPointType(dtype)
    conversion.overwrite = force
    conversion.salvage = salvage
    let clock = ContinuousClock()
    var result: Conversion.Outcome?
    let local = try display.local(file)
    // What comes from elsewhere is written here, not into the cache.
    let standard = Conversion.defaultOutput(for: local == file ? file : URL(filePath: local).lastPathComponent)
    let duration = try clock.measure {
      result = try conversion.run(local, to: output ?? standard)
    }
    guard let result else { return }
    if display.json { return print(jsonLine(ConversionReport(result, duration: duration))) }
    if !display.quiet { print(ConversionReport(result, duration: duration).text) }
  }
}

/// What `convert` tells of its work.
struct ConversionReport: Encodable {
  let source: String
  let format: String
  let naming: String?
  let model: String?
  let classes: Int?
  let parameters: Int
  let tensors: Int
  let checksum: String
  let sha256: String
  let output: String
  let bytes: Int
  let digest: String
  let seconds: Double
  let skipped: [String]
  let aliases: [String: String]
  let wrapper: String?
  let nearest: [String]

  init(_ outcome: Conversion.Outcome, duration: Duration) {
    source = outcome.source.path
    format = outcome.source.format.displayName
    naming = outcome.identification?.naming
    model = outcome.identification?.model.name
    classes = outcome.identification?.classes
    parameters = outcome.parameters
    tensors = outcome.tensors
    checksum = Self.words(outcome.checksum)
    sha256 = outcome.sha256
    output = outcome.written.path
    bytes = outcome.written.bytes
    digest = outcome.written.digest
    seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    skipped = outcome.source.skipped.map { "\($0.name): \($0.reason)" }
    aliases = outcome.aliases
    wrapper = outcome.source.wrapper
    nearest =
      outcome.identification == nil
      ? outcome.candidates.prefix(3).map {
        "\($0.model.name) (\($0.naming)): \($0.missing.count) missing, \($0.extra.count) extra, \($0.misshapen.count) misshapen"
      } : []
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
    var lines: [(String, String)] = []
    let inside = wrapper.map { ", inside \($0)" } ?? ""
    lines.append(("read", "\(format)\(naming.map { ", \($0) names" } ?? "")\(inside)"))
    if let model {
      let head = classes.map { "\($0) classes" } ?? "without its head"
      lines.append(("model", "\(model), \(head), \(Quantity.count(parameters)) parameters"))
    } else {
      lines.append(
        ("model", "not in the catalogue: \(tensors) tensors, \(Quantity.count(parameters)) values, names kept"))
      for candidate in nearest { lines.append(("nearest", candidate)) }
    }
    lines.append(("checksum", "\(sha256.prefix(8))… \(checksum)"))
    if !aliases.isEmpty { lines.append(("shared", "\(aliases.count) tensors stored once under another name")) }
    if !skipped.isEmpty {
      lines.append(("skipped", skipped.prefix(4).joined(separator: "; ") + (skipped.count > 4 ? "; …" : "")))
    }
    lines.append(("wrote", "\(output), \(Quantity.bytes(bytes)) in \(Quantity.seconds(.seconds(seconds)))"))
    return lines.map { key, value in
      Terminal.faint(key.padding(toLength: 9, withPad: " ", startingAt: 0)) + value.escapingControlCharacters()
    }.joined(separator: "\n")
  }
}
