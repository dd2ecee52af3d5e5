import ArgumentParser
import ZooCatalog
import ZooCheckpoint
import ZooConvert

struct IdentifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identify", abstract: "Say which model of the catalogue weight files are.",
    discussion: """
      Names and shapes are held against every model in every naming that is known; no tensor is read. The models are \
      ranked by the share of tensors that fit, with what does not: missing in the file, extra in it, of another shape.

        zoo identify model.pth
        zoo identify *.bin --json

      With --json each file is one line. Exit codes: 0 a model fits each file whole, or but for its head; 1 none fits one \
      of them; 65 a file is no weight file; 66 no such file.
      """)

  @Argument(help: "Weight files of any format, and folders that hold one.", completion: .file())
  var files: [String]
  @Option(help: "Models that are named for a file.")
  var top = 5
  @OptionGroup var display: DisplayOptions

  func validate() throws {
    if top < 1 { throw ValidationError("--top must be 1 or more.") }
  }

  func run() throws {
    let catalog = try display.catalog()
    var failures = Failures()
    var unknown: [String] = []
    for file in files {
      try failures.catching {
        let ranked = try RankedFits(path: display.local(file), catalog: catalog, limit: top)
        if !ranked.isKnown { unknown.append(file) }
        if display.json { print(jsonLine(ranked)) } else if !display.quiet { print(Self.text(ranked)) }
      }
    }
    guard let last = unknown.last else { return try failures.finish() }
    for report in failures.reports { Zoo.complain(report) }
    throw CheckFailed(
      file: last, problem: unknown.count == 1 ? "no model fits it" : "no model fits it and \(unknown.count - 1) before")
  }

  private static func text(_ ranked: RankedFits) -> String {
    let tensors = ranked.tensors == 1 ? "1 tensor" : "\(ranked.tensors) tensors"
    let title = "\(ranked.file)  \(ranked.format), \(tensors)".escapingControlCharacters()
    var lines = ranked.fits.map { "  " + line($0).escapingControlCharacters() }
    if let caution = ranked.fits.first(where: \.fits)?.caution { lines.append("  caution: \(caution)") }
    return ([title] + (lines.isEmpty ? ["  resembles no model of the catalogue"] : lines)).joined(separator: "\n")
  }

  private static func line(_ fit: RankedFits.Fit) -> String {
    let name = "\(fit.model), \(fit.naming) names" + (fit.classes.map { $0 > 0 ? ", \($0) classes" : "" } ?? "")
    let settings = fit.settings.isEmpty ? "" : ", with \(fit.settings.joined(separator: ", "))"
    if fit.fits, !fit.lacksHead { return "fits     \(name)\(settings)" }
    if fit.fits { return "fits     \(name)\(settings), without its head: \(words(fit.missing, "missing"))" }
    let differences =
      [
        words(fit.missing, "missing"), words(fit.extra, "extra"), words(fit.misshapen, "misshapen"),
      ].filter { !$0.isEmpty } + fit.differences
    // A share that rounds to a whole must not look like a fit.
    let share = Quantity.decimals(min(fit.score * 100, 99.9), 1)
    return "\(share) %   \(name): \(differences.joined(separator: ", "))"
  }

  private static func words(_ difference: RankedFits.Difference, _ title: String) -> String {
    guard difference.count > 0 else { return "" }
    let more = difference.count > difference.examples.count ? ", …" : ""
    return "\(difference.count) \(title) (\(difference.examples.joined(separator: ", "))\(more))"
  }
}
