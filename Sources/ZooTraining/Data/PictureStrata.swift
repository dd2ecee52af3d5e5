import ZooCheckpoint

/// What is divided by itself when pictures without classes are split.
enum PictureStrata {
  /// Label sets with fewer pictures are divided together: a quarter of them would be none.
  static let fewest = 4
  /// Into so many parts of equal size the range of values is cut.
  static let bins = 10

  /// A number for each example; nil where classes do.
  ///
  /// Of labels each set that holds together is a stratum; of numbers, by the first, each tenth of the examples.
  static func strata(of examples: [Example], problem: ProblemType) -> [Int]? {
    switch problem {
    case .classes: return nil
    case .multiLabel:
      var members: [[Int]: Int] = [:]
      for example in examples { members[example.labels, default: 0] += 1 }
      let sets = members.filter { $0.value >= fewest }.keys.sorted { $0.lexicographicallyPrecedes($1) }
      let places = Dictionary(uniqueKeysWithValues: sets.enumerated().map { ($1, $0) })
      return examples.map { places[$0.labels] ?? sets.count }
    case .regression:
      let order = examples.indices.sorted { a, b in
        let (first, second) = (examples[a].values.first ?? 0, examples[b].values.first ?? 0)
        return first != second
          ? first < second : examples[a].name.utf8.lexicographicallyPrecedes(examples[b].name.utf8)
      }
      let count = max(1, min(bins, examples.count / fewest))
      var strata = [Int](repeating: 0, count: examples.count)
      for (rank, index) in order.enumerated() { strata[index] = rank * count / examples.count }
      return strata
    }
  }

  /// Splits so that every label that occurs occurs in training.
  static func divide(_ examples: [Example], problem: ProblemType, seed: UInt64) -> (
    training: [Example], validation: [Example]
  ) {
    var (training, validation) = StratifiedSplit.divide(
      examples, seed: seed, strata: strata(of: examples, problem: problem))
    guard problem == .multiLabel else { return (training, validation) }
    var learnt = Set(training.flatMap(\.labels))
    while let missing = validation.first(where: { !learnt.isSuperset(of: $0.labels) }) {
      let moved = validation.filter { $0 == missing || $0.digest != nil && $0.digest == missing.digest }
      validation.removeAll(where: moved.contains)
      training += moved
      learnt.formUnion(moved.flatMap(\.labels))
    }
    return (training.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }, validation)
  }
}
