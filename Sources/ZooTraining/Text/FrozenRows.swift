import ZooCheckpoint
import ZooEngine
import ZooGraph

/// What the frozen part of a network makes of each text, kept as long as there is room.
final class FrozenRows {
  /// Bytes that are kept; what is beyond is made anew each time.
  private static let limit = 1 << 30
  /// Texts that go through the network at once.
  private static let batch = 16

  private let plan: SequencePlan
  private let examples: [SequenceExample]
  private var kept: [Int: FloatTensor] = [:]
  private var bytes = 0

  /// - Throws: `EngineError`, `GraphError`, `FileError`.
  init(_ graph: Graph, weights: Weights, examples: [SequenceExample], threads: Int?) throws {
    plan = try SequencePlan(graph, weights: weights, threads: threads)
    self.examples = examples
  }

  /// Makes what there is room for. Texts of about one length go together.
  ///
  /// - Parameter isInterrupted: called with the texts done; true stops the work.
  /// - Throws: ``StoppedEarly``, `EngineError`.
  func fill(_ isInterrupted: (Int) -> Bool) throws {
    var done = 0
    for batch in LengthBuckets.inOrder(of: examples.map(\.ids.count), size: Self.batch) {
      if isInterrupted(done) { throw StoppedEarly() }
      guard bytes < Self.limit else { return }
      _ = try rows(of: batch)
      done += batch.count
    }
  }

  /// A matrix for each text.
  ///
  /// - Throws: `EngineError`.
  func rows(of places: [Int]) throws -> [FloatTensor] {
    let missing = places.filter { kept[$0] == nil }
    let made = try missing.isEmpty ? [:] : make(missing)
    return places.compactMap { kept[$0] ?? made[$0] }
  }

  private func make(_ places: [Int]) throws -> [Int: FloatTensor] {
    let input = SequenceInput(ids: places.map { examples[$0].ids }, typeIDs: places.map { examples[$0].typeIDs })
    let all = try plan.run(input)[0]
    let (values, columns) = (try all.values(), all.shape[1])
    // A row for each text, or for each of its tokens.
    let isOneEach = all.shape[0] == places.count
    var made: [Int: FloatTensor] = [:]
    var row = 0
    for place in places {
      let rows = isOneEach ? 1 : examples[place].ids.count
      made[place] = FloatTensor(
        shape: [rows, columns], values: Array(values[row * columns..<(row + rows) * columns]))
      row += rows
    }
    for (place, tensor) in made where bytes < Self.limit && kept[place] == nil {
      kept[place] = tensor
      bytes += 4 * tensor.count
    }
    return made
  }
}
