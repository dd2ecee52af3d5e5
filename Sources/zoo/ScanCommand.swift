import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooConvert
import ZooFormats

struct ScanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Say whether weight files are safe to open in their own frameworks.",
    discussion: """
      Looks into files of every format, bare pickles too, and into folders with all that is in them, for what would \
      run code, reach other files, or break the format. Nothing is run. Each file gets one word:

        clean       nothing was found
        suspicious  needs or runs code that its framework doesn't bring along
        malformed   contradicts its format
        dangerous   runs code or reaches other files as soon as it is opened
        unreadable  could not be looked into

      With --json each file is one line of JSON. Exit codes: 0 all clean, 1 something was found, 65 a file is \
      nothing that zoo knows, 66 no such file, 69 a sandbox is needed and can't be had.
      """)

  @Argument(help: "Weight files, pickles and folders.", completion: .file())
  var paths: [String]
  @OptionGroup var display: DisplayOptions

  func run() throws {
    var scan = FolderScan(catalog: try display.catalog())
    var counts: [ContentScan.Verdict: Int] = [:]
    for path in paths {
      scan.scan(path) { result in
        counts[result.verdict, default: 0] += 1
        if display.json { print(jsonLine(result)) } else if !display.quiet { print(Self.lines(result)) }
      }
    }
    if !display.json, !display.quiet, scan.scanned != 1 {
      let parts = ContentScan.Verdict.allCases.compactMap { word in counts[word].map { "\($0) \(word.rawValue)" } }
      Terminal.note("\(scan.scanned) files" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")))
    }
    switch scan.outcome {
    case .clean: return
    case .found: throw ExitCode(ErrorReport.Kind.checkFailed.rawValue)
    case .unreadable(let kind): throw ExitCode(kind.rawValue)
    }
  }

  /// One line for the file, then one for each finding.
  private static func lines(_ result: FileScan) -> String {
    var head = "\(coloured(result.verdict))  \(result.file.escapingControlCharacters())"
    if let format = result.format { head += "  \(format)" }
    if let published = result.published {
      head += ", published by \(published.publisher) as \(published.file)".escapingControlCharacters()
    }
    var lines = [head]
    if let problem = result.problem { lines.append("            \(problem.escapingControlCharacters())") }
    for finding in result.findings {
      let place = finding.place.map { $0 + ": " } ?? ""
      lines.append("  \(padded(finding.severity.rawValue))\((place + finding.detail).escapingControlCharacters())")
    }
    return lines.joined(separator: "\n")
  }

  private static func padded(_ word: String) -> String {
    word + String(repeating: " ", count: max(12 - word.count, 1))
  }

  private static func coloured(_ verdict: ContentScan.Verdict) -> String {
    let word = padded(verdict.rawValue).trimmingCharacters(in: .whitespaces)
    let padding = String(repeating: " ", count: max(10 - word.count, 0))
    switch verdict {
    case .clean: return Terminal.green(word) + padding
    case .dangerous, .malformed: return Terminal.red(word) + padding
    case .suspicious, .unreadable: return Terminal.bold(word) + padding
    }
  }
}
