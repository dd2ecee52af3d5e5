import ArgumentParser
import ZooCheckpoint
import ZooConvert
import ZooInference

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Re-check a weight file: digests, finiteness, the fit to its model, its outputs.",
    discussion: """
      With --reference also what every layer gives, against a recording made in the network's own framework; the first \
      layer that departs is named, and why where the cause is a known one. zoo verify --how torch (keras, onnx) prints \
      the Python that records. Ends with exit code 1 where a check does not hold.
      """)

  @Argument(help: "The weight file, or a model of the store; with --how the framework.", completion: .file())
  var file: String?
  @Option(help: "A recording of the network's input, output and layers (.npz).", completion: .file())
  var reference: String?
  @Option(help: "The largest departure that holds, as a share of a layer's largest value.")
  var tolerance = 1e-4
  @Option(help: "The model that the weights must be; default: what they say they are, or resemble most.")
  var model: String?
  @Flag(help: "Print the Python lines that make a recording.")
  var how = false
  @OptionGroup var display: DisplayOptions

  func run() throws {
    if how { return try printLines() }
    guard let file else { throw UsageError(problem: "name a weight file", advice: "see zoo verify --help") }
    guard tolerance >= 0 else { throw UsageError(problem: "--tolerance \(tolerance): expected 0 or more") }
    let catalog = try display.catalog()
    guard let reference else {
      let verification = try Verification(path: display.local(file), catalog: catalog, model: model)
      return try conclude(Outcome(verification, reference: nil), file)
    }
    let recording = try Recording(path: reference)
    let loaded = try LoadedModel.find(display.local(file), catalog: catalog)
    let verification = try Verification(path: loaded.path, catalog: catalog, model: model)
    let comparison = try ReferenceComparison(loaded, recording, catalog: catalog, tolerance: tolerance)
    try conclude(Outcome(verification, reference: comparison), file)
  }

  private struct Outcome: Encodable {
    let checks: [Verification.Check]
    let fit: FitReport?
    let reference: ReferenceComparison?

    init(_ verification: Verification, reference: ReferenceComparison?) {
      checks = verification.checks
      fit = verification.fit
      self.reference = reference
    }
  }

  private func conclude(_ outcome: Outcome, _ file: String) throws {
    var failed = outcome.checks.filter { !$0.holds }.map(\.name)
    if let reference = outcome.reference, !reference.holds { failed.append("outputs") }
    if display.json {
      print(jsonLine(outcome))
    } else if !display.quiet {
      for check in outcome.checks { print(CheckLine(check.name, holds: check.holds, check.detail).description) }
      if let fit = outcome.fit { print(FitText(fit).text) }
      if let reference = outcome.reference { print(ReferenceText(reference).text) }
    }
    if !failed.isEmpty { throw CheckFailed(file: file, problem: "does not hold: " + failed.joined(separator: ", ")) }
  }

  private func printLines() throws {
    let name = file ?? RecordingFramework.torch.rawValue
    guard let framework = RecordingFramework(rawValue: name) else { throw ReferenceError.unknownFramework(name: name) }
    print(framework.lines)
    let others = RecordingFramework.allCases.filter { $0 != framework }.map { "zoo verify --how \($0.rawValue)" }
    if !display.quiet {
      Terminal.note("then: zoo verify MODEL --reference R.npz   (also \(others.joined(separator: ", ")))")
    }
  }
}

/// One check on a line: `ok      digest  …`.
struct CheckLine: CustomStringConvertible {
  let description: String

  init(_ name: String, holds: Bool, _ detail: String) {
    let mark = holds ? Terminal.green("ok    ") : Terminal.red("FAILED")
    description = "\(mark)  \(LabelledLines.column(name))\(detail.escapingControlCharacters())"
  }

  /// A line that belongs to the check above it.
  init(continuing name: String, _ detail: String) {
    description = "        \(Terminal.faint(LabelledLines.column(name)))\(detail.escapingControlCharacters())"
  }
}
