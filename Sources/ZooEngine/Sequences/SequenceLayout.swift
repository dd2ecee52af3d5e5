import ZooGraph

/// Where the tokens of several sequences stand, one sequence after another, and what they are.
struct SequenceLayout {
  var ids: [Int] = []
  var typeIDs: [Int] = []
  /// Place of each token in its own sequence.
  var positions: [Int] = []
  /// The first row of each sequence, and its rows.
  var firsts: [Int] = []
  var counts: [Int] = []
  var rows: Int { ids.count }

  /// - Parameters:
  ///   - starts: tokens of each sequence that came before.
  ///   - limit: the most tokens that a sequence may have.
  /// - Throws: ``EngineError/sequenceLength(found:limit:)``, ``EngineError/inputShape(expected:found:)``.
  init(_ input: SequenceInput, starts: [Int], limit: Int?) throws(EngineError) {
    guard starts.count == input.ids.count, input.typeIDs.map({ $0.map(\.count) == input.ids.map(\.count) }) ?? true
    else {
      throw .inputShape(expected: [starts.count], found: [input.ids.count, input.typeIDs?.count ?? 0])
    }
    for (index, tokens) in input.ids.enumerated() {
      let length = starts[index] + tokens.count
      guard !tokens.isEmpty, length <= limit ?? .max else { throw .sequenceLength(found: length, limit: limit) }
      firsts.append(ids.count)
      counts.append(tokens.count)
      positions += starts[index]..<length
      ids += tokens
      typeIDs += input.typeIDs?[index] ?? [Int](repeating: 0, count: tokens.count)
    }
  }

  func count(of rows: SequenceRows) -> Int {
    switch rows {
    case .tokens: self.rows
    case .sequences: counts.count
    }
  }

  /// For each token the row of an embedding table that stands for it.
  ///
  /// - Throws: ``EngineError/noSuchRow(node:index:rows:)``.
  func tableRows(_ kind: EmbeddingIndex, of count: Int, node: String) throws(EngineError) -> [Int] {
    let rows =
      switch kind {
      case .token: ids
      case .position(let offset): positions.map { $0 + offset }
      case .tokenType: typeIDs
      }
    if let wrong = rows.first(where: { !(0..<count).contains($0) }) {
      throw .noSuchRow(node: node, index: wrong, rows: count)
    }
    return rows
  }

  /// The last row of each sequence.
  var lasts: [Int] { zip(firsts, counts).map { $0 + $1 - 1 } }
}
