import ArgumentParser
import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooDownload

/// Options that every command has.
struct DisplayOptions: ParsableArguments {
  @Flag(help: "Print JSON for programs.")
  var json = false
  @Flag(name: .shortAndLong, help: "Print nothing but errors.")
  var quiet = false
  @Option(
    name: .customLong("catalog"), help: "A folder with zoo/, converters/ or checksums/ to lay over the catalogue.")
  var catalogFolders: [String] = []

  /// The path of a file that is named by its path, its address, which is fetched first, or as a model in the store.
  func local(_ file: String) throws -> String {
    guard RemoteFile.isAddress(file) else {
      let store = ModelStore()
      return !FileManager.default.fileExists(atPath: file) && store.contains(file) ? store.path(forModel: file) : file
    }
    let remote = try RemoteFile(file)
    var bar: Progress?
    defer { bar?.finish() }
    try remote.fetch { done, total in
      guard let total else { return }
      if bar == nil { bar = Progress("download", total: total, quiet: quiet || json, spell: Quantity.bytes) }
      bar?.update(done)
    }
    return remote.path
  }

  /// What an output made from a file is named after: the file itself, or where that lies in the cache or the store, its
  /// name in the current folder.
  func nameHere(_ argument: String, at path: String) -> String {
    RemoteFile.isAddress(argument) ? URL(filePath: path).lastPathComponent : argument
  }

  func catalog() throws -> Catalog { try Catalog.standard(overlays: catalogFolders) }
}

/// The command line asks for something that can't be done.
struct UsageError: ReportableError {
  let problem: String
  var advice = "see zoo --help"
  var report: ErrorReport { ErrorReport(.usage, problem: problem, advice: advice) }
}

/// The dtype that `--dtype` names.
///
/// - Throws: ``UsageError``.
func floatingPointType(_ name: String?) throws -> DType? {
  guard let name else { return nil }
  guard let dtype = DType(name: name), dtype.isFloatingPoint else {
    throw UsageError(
      problem: "--dtype \(name): expected float64, float32, float16, bfloat16, float8_e4m3fn or float8_e5m2")
  }
  return dtype
}

/// One value as one line of JSON.
func jsonLine(_ value: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return (try? encoder.encode(value)).flatMap { String(data: $0, encoding: .utf8) }.map(SafeText.json) ?? "null"
}
