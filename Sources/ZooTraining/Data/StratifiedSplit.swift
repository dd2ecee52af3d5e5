import ZooCheckpoint

/// Divides examples into training and validation, class by class.
///
/// Within a class the examples are ordered by a digest of seed and name, so that the split depends on neither the
/// machine nor the order of the folder, and identical examples stay on one side.
public enum StratifiedSplit {
  /// - Parameters:
  ///   - validation: the share kept for validation; each class keeps at least one example on either side where it has
  ///     two different ones.
  ///   - strata: what is divided by itself, a number for each example; nil for classes.
  public static func divide<Item: Splittable>(
    _ examples: [Item], validation share: Double = 0.25, seed: UInt64, strata: [Int]? = nil
  ) -> (training: [Item], validation: [Item]) {
    var training: [Item] = []
    var validation: [Item] = []
    let strata = strata ?? examples.map(\.label)
    for stratum in Set(strata).sorted() {
      let members = zip(examples, strata).filter { $0.1 == stratum }.map(\.0)
      let groups = identicalGroups(members)
        .map { (key: Digest.sha256(of: "\(seed)/\($0[0].name)"), members: $0) }
        .sorted { $0.key < $1.key }.map(\.members)
      let wanted = max(1, Int((Double(members.count) * share).rounded()))
      var taken = 0
      for (index, group) in groups.enumerated() {
        if taken < wanted && index < groups.count - 1 {
          validation += group
          taken += group.count
        } else {
          training += group
        }
      }
    }
    let order: (Item, Item) -> Bool = { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return (training.sorted(by: order), validation.sorted(by: order))
  }

  private static func identicalGroups<Item: Splittable>(_ examples: [Item]) -> [[Item]] {
    var groups: [[Item]] = []
    var places: [String: Int] = [:]
    for example in examples {
      if let digest = example.digest, let place = places[digest] {
        groups[place].append(example)
      } else {
        if let digest = example.digest { places[digest] = groups.count }
        groups.append([example])
      }
    }
    return groups
  }
}
