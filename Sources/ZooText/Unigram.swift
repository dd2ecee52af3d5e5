/// Words out of the pieces that are likeliest together: Kudo, "Subword Regularization", 2018, as SentencePiece trains it
/// and Hugging Face's tokenizers reads it.
struct Unigram: Sendable {
  let vocabulary: Vocabulary
  private let scores: [Double]
  private let unknown: Int
  private let trie: PieceTrie
  /// A character that is no piece is so much less likely than the least likely piece.
  private static let penalty = 10.0
  private let unknownScore: Double

  /// - Parameter pieces: each with the logarithm of its probability; an id is the place here.
  init(_ pieces: [(piece: [UInt8], score: Double)], unknown: Int) {
    var vocabulary = Vocabulary()
    var trie = PieceTrie()
    for (id, entry) in pieces.enumerated() {
      vocabulary.add(entry.piece, id)
      trie.add(entry.piece, id)
    }
    self.vocabulary = vocabulary
    self.trie = trie
    self.unknown = unknown
    scores = pieces.map(\.score)
    unknownScore = (scores.min() ?? 0) - Self.penalty
  }

  private struct Best {
    var start = -1
    var id = 0
    var score = 0.0
  }

  func encode(_ word: Substring) -> [Int] {
    let bytes = Array(word.utf8)
    guard !bytes.isEmpty else { return [] }
    let best = bestPaths(bytes)
    var ids: [Int] = []
    // Neighbouring unknown characters are one unknown piece.
    var unknownEnd: Int?
    func closeUnknown(at start: Int) {
      if let end = unknownEnd { ids.append(vocabulary.id(of: Array(bytes[start..<end])) ?? unknown) }
      unknownEnd = nil
    }
    var end = bytes.count
    while end > 0 {
      let step = best[end]
      if step.id == unknown {
        unknownEnd = unknownEnd ?? end
      } else {
        closeUnknown(at: end)
        ids.append(step.id)
      }
      end = step.start
    }
    closeUnknown(at: 0)
    return ids.reversed()
  }

  /// The likeliest way to each end (Viterbi).
  private func bestPaths(_ bytes: [UInt8]) -> [Best] {
    var best = [Best](repeating: Best(), count: bytes.count + 1)
    func offer(_ id: Int, _ score: Double, from start: Int, to end: Int) {
      if best[end].start < 0 || score > best[end].score { best[end] = Best(start: start, id: id, score: score) }
    }
    var start = 0
    while start < bytes.count {
      var next = start + 1
      while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
      let score = best[start].score
      var isPiece = false
      trie.forEachPiece(at: start, in: bytes) { end, id in
        offer(id, score + scores[id], from: start, to: end)
        if end == next { isPiece = true }
      }
      if !isPiece { offer(unknown, score + unknownScore, from: start, to: next) }
      start = next
    }
    return best
  }
}
