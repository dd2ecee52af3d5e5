import ZooCheckpoint

/// Examples divided into those to learn from and those to judge by.
public protocol DividedData {
  associatedtype Item: Splittable

  /// What its examples are, for people: `pictures`, `texts`.
  static var examples: String { get }
  /// Names of the classes, in the order of the logits; empty where there are none.
  var labels: [String] { get }
  var training: [Item] { get }
  var validation: [Item] { get }
  /// What the examples are learnt for.
  var problem: ProblemType { get }
  /// Training examples of each class; empty where there are no classes.
  var trainingCounts: [Int] { get }
}

/// An example that stands on both sides of a division, by its names there.
public struct SharedExample: Sendable, Equatable {
  public let training: String
  public let validation: String
}

extension DividedData {
  public var problem: ProblemType { .classes }

  public var trainingCounts: [Int] {
    var counts = [Int](repeating: 0, count: labels.count)
    for example in training where counts.indices.contains(example.label) { counts[example.label] += 1 }
    return counts
  }

  /// How many times more examples the largest class has than the smallest, in training.
  public var imbalance: Double {
    let counts = trainingCounts
    return Double(counts.max() ?? 0) / Double(max(counts.min() ?? 0, 1))
  }

  /// Examples that are on both sides: judging by them flatters the network.
  public var sharedExamples: [SharedExample] {
    var known: [String: String] = [:]
    for example in training { if let digest = example.digest { known[digest] = example.name } }
    return validation.compactMap { example in
      example.digest.flatMap { known[$0] }.map { SharedExample(training: $0, validation: example.name) }
    }
  }
}

extension Set<String> {
  /// Names of classes in their order: whole numbers by their size, so that 10 comes after 9, other names by their bytes.
  var sortedAsLabels: [String] {
    guard allSatisfy({ Int($0) != nil }) else { return sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    return sorted { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) }
  }
}
