import Foundation
import ZooCheckpoint
import ZooEngine

/// Token ids, and those of a decoder, of several texts.
private struct Texts: Decodable {
  let ids: [[Int]]
  let decoder: [[Int]]?
  /// Modules whose outputs are wanted behind the network's own; of an encoder-decoder those of the decoder.
  let modules: [String]?
}

/// A module that the network doesn't have.
private struct UnknownModule: ReportableError {
  let name: String
  var report: ErrorReport { ErrorReport(.usage, problem: "the network has no module \(name)") }
}

/// Runs the checkpoint's network on the texts of a JSON file and stores `output.0` and so on, a row for each token or
/// text.
func sequences(
  _ checkpoint: String, _ textsFile: String, _ outputFile: String, precision: SequencePrecision
) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let texts = try JSONDecoder().decode(Texts.self, from: Data(contentsOf: URL(filePath: textsFile)))
  var graph = try graph(of: model)
  for name in texts.modules ?? [] {
    guard let node = graph.nodes.last(where: { $0.name == name }) else { throw UnknownModule(name: name) }
    graph.outputs.append(node.output)
  }
  let plan = try SequencePlan(graph, weights: model.stateDict.floatWeights(), precision: precision)
  let input = SequenceInput(ids: texts.ids)
  let results = try texts.decoder.map { try plan.run(input, decoder: $0) } ?? plan.run(input)
  var stateDict = StateDict()
  for (index, result) in results.enumerated() {
    stateDict["output.\(index)"] = try Tensor(
      dtype: .float32, shape: result.shape, storage: MemoryStorage(copying: result.values()))
  }
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputFile, overwrite: true)
}

/// Times runs of one text of so many tokens, then of so many further tokens one by one; prints a line for each: `text` or
/// `token`, and seconds.
func timeSequences(_ checkpoint: String, _ numbers: [Int], precision: SequencePrecision) throws {
  let (length, tokens, threads, runs) = (numbers[0], numbers[1], numbers[2], numbers[3])
  let model = try Checkpoint.open(path: checkpoint)
  let plan = try SequencePlan(
    graph(of: model), weights: model.stateDict.floatWeights(), precision: precision, threads: threads)
  let ids = [(0..<length).map { 5 + $0 % 500 }]
  let clock = ContinuousClock()
  for run in 0..<runs + 2 {
    let started = clock.now
    let state =
      plan.hasDecoder
      ? try SequenceState(plan, answering: SequenceInput(ids: ids)) : SequenceState(plan, sequences: 1)
    if !plan.hasDecoder { _ = try state.advance(ids, lastOnly: true) }
    let read = clock.now
    for token in 0..<tokens { _ = try state.advance([[5 + token]], lastOnly: true) }
    guard run >= 2 else { continue }
    print("text \((read - started) / .seconds(1))")
    if tokens > 0 { print("token \((clock.now - read) / .seconds(1) / Double(tokens))") }
  }
}
