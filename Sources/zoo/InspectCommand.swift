import ArgumentParser
import ZooCatalog
import ZooCheckpoint
import ZooConvert
import ZooFormats
import ZooONNX

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "List the tensors of a weight file, and what it would have run.",
    discussion: "For pickles, also the classes and functions that Python would have called; nothing is called here.")

  @Argument(help: "The weight file.", completion: .file())
  var file: String
  @Flag(help: "Add mean, standard deviation, least and greatest value.")
  var stats = false
  @Option(help: "The model to hold the tensors to; default: the one they resemble most.")
  var model: String?
  @OptionGroup var display: DisplayOptions

  func run() throws {
    // What a file would run is the very thing to see here, so it is never refused for that.
    let source = try WeightFile.open(path: display.local(file), salvage: true)
    let carried = source.sides.filter(\.isCarried).flatMap(\.tensors.tensors)
    let rows = try (Array(source.stateDict.tensors) + carried).map { name, tensor in
      TensorRow(
        name: name, dtype: tensor.dtype.name, shape: tensor.shape, bytes: tensor.byteCount,
        stats: stats ? try TensorStatistics(tensor) : nil)
    }
    let (found, fit) = try recognise(source)
    let calls = source.globals.map { Call(name: $0.name, offset: $0.offset, runsCode: $0.isDangerous) }
    let graph = source.onnx.map(ONNXSummary.init)
    if display.json {
      return print(
        jsonLine(
          Report(
            format: source.format.displayName, tensors: rows, globals: calls, metadata: source.metadata, model: found,
            fit: fit, beside: source.sides.map { "\($0.name): \($0.summary)" }, onnx: graph)))
    }
    print(table(rows))
    guard !display.quiet else { return }
    let bytes = rows.reduce(0) { $0 + $1.bytes }
    Terminal.note("\(source.format.displayName): \(rows.count) tensors, \(Quantity.bytes(bytes))")
    for line in graph?.lines ?? [] { Terminal.note(line.escapingControlCharacters()) }
    note(source, found, fit)
    for entry in source.skipped where !source.sides.contains(where: { $0.name == entry.name }) {
      Terminal.note("skipped \(entry.name): \(entry.reason)".escapingControlCharacters())
    }
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
    let model: String?
    let fit: FitReport?
    let beside: [String]
    let onnx: ONNXSummary?
  }

  /// What the tensors are, in words, and what keeps them from being a model's whole.
  private func recognise(_ source: WeightFile) throws -> (String?, FitReport?) {
    let catalog = try display.catalog()
    let best =
      try model.map { try catalog.identify(source, as: catalog.model(named: $0)) } ?? catalog.identify(source).first
    guard let best, model != nil || source.metadata["zoo.config"] == nil else {
      return (source.metadata["zoo.model"], nil)
    }
    let words = "\(best.model.name), \(best.naming) names"
    if best.isExact { return (words, nil) }
    if best.isHeadless { return (words + ", ABSENT: " + best.missing.joined(separator: ", "), nil) }
    return (nil, FitReport(best, source.stateDict))
  }

  private func note(_ source: WeightFile, _ found: String?, _ fit: FitReport?) {
    if let found, !found.isEmpty { Terminal.note("model: \(found)".escapingControlCharacters()) }
    for side in source.sides {
      let tensors =
        side.tensorCount == 0 ? "" : side.tensorCount == 1 ? " (1 tensor)" : " (\(side.tensorCount) tensors)"
      Terminal.note("beside the weights: \(side.name): \(side.summary)\(tensors)".escapingControlCharacters())
    }
    for (alias, name) in source.stateDict.separatingAliases().aliases.sorted(by: { $0.key < $1.key }) {
      Terminal.note("shared: \(alias) is \(name)".escapingControlCharacters())
    }
    for overlap in source.stateDict.overlaps() {
      let words = overlap.isWhole ? "is another view of" : "is partly the memory of"
      Terminal.note("shared: \(overlap.name) \(words) \(overlap.other)".escapingControlCharacters())
    }
    let metadata = CheckpointMetadata(source.metadata)
    if let labels = metadata.labels, metadata.problem != .classes {
      let what = metadata.problem == .regression ? "values (regression)" : "labels (multi-label)"
      Terminal.note("\(what): \(labels.joined(separator: ", "))".escapingControlCharacters())
    }
    for (title, names) in [("ABSENT", metadata.absent), ("NEWLY INITIALISED", metadata.newlyInitialised)]
    where !names.isEmpty {
      Terminal.note("\(title): \(names.listedTensors)".escapingControlCharacters())
    }
    if let fit { Terminal.note(FitText(fit).text) }
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
