import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint

/// Options that every command has.
struct DisplayOptions: ParsableArguments {
  @Flag(help: "Print JSON for programs.")
  var json = false
  @Flag(name: .shortAndLong, help: "Print nothing but errors.")
  var quiet = false
  @Option(
    name: .customLong("catalog"), help: "A folder with zoo/, converters/ or checksums/ to lay over the catalogue.")
  var catalogFolders: [String] = []

  func catalog() throws -> Catalog { try Catalog.standard(overlays: catalogFolders) }
}

/// The command line asks for something that can't be done.
struct UsageError: ReportableError {
  let problem: String
  var advice = "see zoo --help"
  var report: ErrorReport { ErrorReport(.usage, problem: problem, advice: advice) }
}

/// One value as one line of JSON.
func jsonLine(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return (try? encoder.encode(value)).flatMap { String(data: $0, encoding: .utf8) } ?? "null"
}
