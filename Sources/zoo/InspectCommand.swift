import ArgumentParser
import ZooCheckpoint
import ZooConvert
import ZooFormats

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "List the tensors of a weight file, and what it would have run.",
    discussion: "For pickles, also the classes and functions that Python would have called; nothing is called here.")

  @Argument(help: "The weight file.", completion: .file())
  var file: String
  @Flag(help: "Add mean, standard deviation, least and greatest value.")
  var stats = false
  @OptionGroup var display: DisplayOptions

  func run() throws {
    // What a file would run is the very thing to see here, so it is never refused for that.
    let source = try WeightFile.open(path: display.local(file), salvage: true)
    let rows = try source.stateDict.tensors.map { name, tensor in
      TensorRow(
        name: name, dtype: tensor.dtype.name, shape: tensor.shape, bytes: tensor.byteCount,
        stats: stats ? try TensorStatistics(tensor) : nil)
    }
    let calls = source.globals.map { Call(name: $0.name, offset: $0.offset, runsCode: $0.isDangerous) }
    let graph = source.onnx.map(ONNXSummary.init)
    if display.json {
      return print(
        jsonLine(
          Report(
            format: source.format.displayName, tensors: rows, globals: calls, metadata: source.metadata, onnx: graph)))
    }
    print(table(rows))
    guard !display.quiet else { return }
    let bytes = rows.reduce(0) { $0 + $1.bytes }
    Terminal.note("\(source.format.displayName): \(rows.count) tensors, \(Quantity.bytes(bytes))")
    for line in graph?.lines ?? [] { Terminal.note(line.escapingControlCharacters()) }
    for entry in source.skipped { Terminal.note("skipped \(entry.name.escapingControlCharacters()): \(entry.reason)") }
    let dangerous = calls.filter(\.runsCode)
    let others = Set(calls.filter { !$0.runsCode }.map(\.name)).sorted()
    if !others.isEmpty {
      Terminal.note("names classes and functions: " + others.joined(separator: ", ").escapingControlCharacters())
    }
    for call in dangerous {
      Terminal.note(
        "WOULD RUN CODE in Python: \(call.name.escapingControlCharacters()) at byte \(call.offset) of the pickle")
    }
  }

  private struct TensorRow: Encodable {
    let name: String
    let dtype: String
    let shape: [Int]
    let bytes: Int
    let stats: TensorStatistics?
  }
  private struct Call: Encodable {
    let name: String
    let offset: Int
    let runsCode: Bool
  }
  private struct Report: Encodable {
    let format: String
    let tensors: [TensorRow]
    let globals: [Call]
    let metadata: [String: String]
    let onnx: ONNXSummary?
  }

  private func table(_ rows: [TensorRow]) -> String {
    var columns: [Table.Column] = [
      .init(title: "name", shrinks: true), .init(title: "dtype"), .init(title: "shape"),
      .init(title: "bytes", alignment: .right),
    ]
    if stats { columns += ["mean", "std", "min", "max"].map { .init(title: $0, alignment: .right) } }
    var table = Table(columns)
    for row in rows {
      var cells = [row.name, row.dtype, Quantity.shape(row.shape), String(row.bytes)]
      if let stats = row.stats {
        cells += [stats.mean, stats.std, stats.min, stats.max].map { String(format: "%.5g", $0) }
        if stats.nonFinite > 0 { cells[cells.count - 1] += " (\(stats.nonFinite) not finite)" }
      }
      table.add(cells)
    }
    return table.render()
  }
}

import Foundation
