import HeapModule

/// Words out of characters that are joined pair by pair, the earliest learnt pair first: Sennrich et al., "Neural Machine
/// Translation of Rare Words with Subword Units", 2016.
struct BytePairEncoding: Sendable {
  struct Pair: Hashable, Sendable {
    let left: Int
    let right: Int
  }

  struct Merge: Sendable {
    let rank: Int
    let id: Int
  }

  var vocabulary: Vocabulary
  var merges: [Pair: Merge] = [:]
  /// nil: characters that are no pieces are left out.
  var unknown: Int?
  /// Whether a word that is a piece is left whole, whatever the merges say.
  var takesWholeWords = false

  func encode(_ characters: [[UInt8]]) -> [Int] {
    if takesWholeWords, let id = vocabulary.id(of: characters.flatMap { $0 }) { return [id] }
    return merged(characters.compactMap { vocabulary.id(of: $0) ?? unknown })
  }

  private struct Candidate: Comparable {
    let rank: Int
    let position: Int
    let pair: Pair
    let id: Int

    static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
  }

  /// A linked list of pieces and a heap of the pairs in it, so that a word of n characters takes n log n steps.
  private func merged(_ start: [Int]) -> [Int] {
    guard start.count > 1 else { return start }
    var ids = start
    var next = Array(1...start.count)
    var previous = Array(-1..<start.count - 1)
    var isGone = [Bool](repeating: false, count: start.count)
    var heap = Heap<Candidate>()
    func consider(_ position: Int) {
      guard position >= 0, next[position] < ids.count else { return }
      let pair = Pair(left: ids[position], right: ids[next[position]])
      guard let merge = merges[pair] else { return }
      heap.insert(Candidate(rank: merge.rank, position: position, pair: pair, id: merge.id))
    }
    for position in 0..<ids.count - 1 { consider(position) }
    while let best = heap.popMin() {
      let right = next[best.position]
      // What was found before one of the two was joined to another doesn't stand any more.
      guard !isGone[best.position], right < ids.count, ids[best.position] == best.pair.left,
        ids[right] == best.pair.right
      else { continue }
      ids[best.position] = best.id
      isGone[right] = true
      next[best.position] = next[right]
      if next[right] < ids.count { previous[next[right]] = best.position }
      consider(previous[best.position])
      consider(best.position)
    }
    return ids.indices.filter { !isGone[$0] }.map { ids[$0] }
  }
}

extension BytePairEncoding {
  /// - Throws: ``TokenizerError/badMerge(file:line:merge:)`` where the two, or what they make, are no pieces.
  mutating func add(_ pair: [[UInt8]], rank: Int, file: String, line: Int) throws(TokenizerError) {
    guard pair.count == 2, let left = vocabulary.id(of: pair[0]), let right = vocabulary.id(of: pair[1]),
      let id = vocabulary.id(of: pair[0] + pair[1])
    else {
      let words = pair.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
      throw .badMerge(file: file, line: line, merge: words)
    }
    merges[Pair(left: left, right: right)] = Merge(rank: rank, id: id)
  }
}
