import ZooCheckpoint

/// Batches of texts of about one length, so that steps take about one time and memory: within stretches of the shuffled
/// order examples are sorted by length, and the batches are shuffled again.
enum LengthBuckets {
  /// Batches in a stretch.
  private static let stretch = 32

  static func batches(_ lengths: [Int], size: Int, seed: UInt64) -> (_ epoch: Int) -> [[Int]] {
    { epoch in
      var random = SeededGenerator(seed: seed, epoch)
      let order = random.permutation(lengths.count)
      var batches: [[Int]] = []
      for start in stride(from: 0, to: order.count, by: stretch * size) {
        batches += sorted(order[start..<min(start + stretch * size, order.count)], by: lengths, size: size)
      }
      return random.permutation(batches.count).map { batches[$0] }
    }
  }

  /// All places, the shortest first.
  static func inOrder(of lengths: [Int], size: Int) -> [[Int]] { sorted(lengths.indices, by: lengths, size: size) }

  private static func sorted(_ places: some Collection<Int>, by lengths: [Int], size: Int) -> [[Int]] {
    let sorted = places.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    return stride(from: 0, to: sorted.count, by: size).map { Array(sorted[$0..<min($0 + size, sorted.count)]) }
  }
}
