import ZooEngine

/// How often each class was taken for each other one.
public struct ConfusionMatrix: Sendable, Equatable, Codable {
  public let labels: [String]
  /// `counts[truth][prediction]`.
  public private(set) var counts: [[Int]]

  public init(labels: [String]) {
    self.labels = labels
    counts = labels.map { _ in labels.map { _ in 0 } }
  }

  public mutating func add(truth: Int, prediction: Int) { counts[truth][prediction] += 1 }

  /// Adds pixels; those of another class than the labels' are left out.
  ///
  /// - Precondition: there are as many truths as predictions.
  public mutating func add(truths: [UInt8], predictions: [UInt8]) {
    var flat = [Int](repeating: 0, count: labels.count * labels.count)
    PixelCrossEntropy.count(truths, predictions, classes: labels.count, into: &flat)
    for (index, count) in flat.enumerated() where count > 0 {
      counts[index / labels.count][index % labels.count] += count
    }
  }

  /// - Precondition: both are of the same classes.
  public mutating func add(_ other: ConfusionMatrix) {
    for truth in labels.indices {
      for prediction in labels.indices { counts[truth][prediction] += other.counts[truth][prediction] }
    }
  }

  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }
  public var correct: Int { labels.indices.reduce(0) { $0 + counts[$1][$1] } }
  /// Share of the pictures whose class came first; 0 where there are none.
  public var accuracy: Double { total == 0 ? 0 : Double(correct) / Double(total) }

  /// Pictures of the class.
  public func support(_ label: Int) -> Int { counts[label].reduce(0, +) }

  /// Of the pictures taken for the class, the share that is of it; nil where none was.
  public func precision(_ label: Int) -> Double? {
    let taken = labels.indices.reduce(0) { $0 + counts[$1][label] }
    return taken == 0 ? nil : Double(counts[label][label]) / Double(taken)
  }

  /// Of the pictures of the class, the share that was found; nil where there are none.
  public func recall(_ label: Int) -> Double? {
    support(label) == 0 ? nil : Double(counts[label][label]) / Double(support(label))
  }

  /// The harmonic mean of precision and recall; nil where the class has no pictures and none was taken for it.
  public func f1(_ label: Int) -> Double? {
    let taken = labels.indices.reduce(0) { $0 + counts[$1][label] }
    let either = support(label) + taken
    return either == 0 ? nil : 2 * Double(counts[label][label]) / Double(either)
  }

  /// What is of the class and was taken for it, as a share of what is or was (the Jaccard index); nil where nothing is or
  /// was.
  public func intersectionOverUnion(_ label: Int) -> Double? {
    let taken = labels.indices.reduce(0) { $0 + counts[$1][label] }
    let union = support(label) + taken - counts[label][label]
    return union == 0 ? nil : Double(counts[label][label]) / Double(union)
  }

  /// Over the classes; those that nothing is of and nothing was taken for are left out, as in torchmetrics'
  /// `JaccardIndex`. 0 where no class is left.
  public var meanIntersectionOverUnion: Double {
    let all = labels.indices.compactMap(intersectionOverUnion)
    return all.isEmpty ? 0 : all.reduce(0, +) / Double(all.count)
  }
}
