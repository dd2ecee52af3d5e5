import ArgumentParser
import Foundation
import ZooCheckpoint
import ZooConvert
import ZooFormats

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two weight files of any formats, tensor by tensor.",
    discussion: """
      Files that name the tensors of one model differently are compared under the model's own names and layouts. Ends \
      with exit code 1 where they differ.
      """)

  @Argument(help: "A weight file.", completion: .file())
  var first: String
  @Argument(help: "Another.", completion: .file())
  var second: String
  @Option(help: "Differences of values up to this are none.")
  var tolerance = 0.0
  @OptionGroup var display: DisplayOptions

  func run() throws {
    let pair = try ComparablePair(
      WeightFile.open(path: display.local(first)), WeightFile.open(path: display.local(second)),
      catalog: display.catalog())
    let difference = try Difference(pair.first, pair.second, tolerance: tolerance)
    if display.json {
      print(jsonLine(difference))
    } else if !display.quiet {
      if let words = pair.renaming { Terminal.note(words.escapingControlCharacters()) }
      if !difference.entries.isEmpty { print(table(difference)) }
      Terminal.note("\(difference.equal) tensors equal, \(difference.entries.count) different")
    }
    if !difference.entries.isEmpty { throw CheckFailed(file: first, problem: "differs from \(second)") }
  }

  private func table(_ difference: Difference) -> String {
    var table = Table([
      .init(title: "tensor", shrinks: true), .init(title: "difference"), .init(title: "first"), .init(title: "second"),
      .init(title: "max |difference|", alignment: .right),
    ])
    for entry in difference.entries {
      let kind =
        switch entry.kind {
        case .onlyFirst: "only in the first"
        case .onlySecond: "only in the second"
        case .shape: "shape"
        case .dtype: "dtype"
        case .values: "values"
        }
      table.add([entry.name, kind, entry.first, entry.second, entry.maximum.map { String(format: "%.3g", $0) } ?? ""])
    }
    return table.render()
  }
}
