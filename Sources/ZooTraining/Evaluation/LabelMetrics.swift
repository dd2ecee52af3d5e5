import Foundation
import ZooCheckpoint

/// How well labels that each hold or don't are told, as scikit-learn's `average_precision_score`, `f1_score` and
/// `accuracy_score` count it; a label is said where its probability is at least a half.
///
/// Means over labels leave out those that hold of no example, which say nothing.
public struct LabelMetrics: Sendable, Equatable, Encodable {
  /// Of one label.
  public struct Label: Sendable, Equatable, Encodable {
    /// Examples that it holds of.
    public var support = 0
    public var rightlySaid = 0
    public var said = 0
    /// nil where it holds of no example.
    public var averagePrecision: Double?

    public var precision: Double? { said == 0 ? nil : Double(rightlySaid) / Double(said) }
    public var recall: Double? { support == 0 ? nil : Double(rightlySaid) / Double(support) }
    public var f1: Double? { support + said == 0 ? nil : 2 * Double(rightlySaid) / Double(support + said) }

    private enum CodingKeys: CodingKey {
      case support, precision, recall, f1, averagePrecision
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(support, forKey: .support)
      try values.encodeIfPresent(precision, forKey: .precision)
      try values.encodeIfPresent(recall, forKey: .recall)
      try values.encodeIfPresent(f1, forKey: .f1)
      try values.encodeIfPresent(averagePrecision, forKey: .averagePrecision)
    }
  }

  public private(set) var labels: [Label]
  /// Examples of which exactly the labels that hold were said.
  public let exactMatch: Proportion

  /// - Parameters:
  ///   - logits: a row for each example.
  ///   - truths: the labels that hold.
  public init(logits: [[Float]], truths: [[Int]], labels count: Int) {
    labels = [Label](repeating: Label(), count: count)
    var exact = 0
    for (row, truth) in zip(logits, truths) {
      let said = row.indices.filter { row[$0] >= 0 }
      exact += said == truth ? 1 : 0
      for label in said { labels[label].said += 1 }
      for label in truth {
        labels[label].support += 1
        labels[label].rightlySaid += row[label] >= 0 ? 1 : 0
      }
    }
    exactMatch = Proportion(exact, of: logits.count)
    let holds = truths.map(Set.init)
    for label in labels.indices {
      labels[label].averagePrecision = Self.averagePrecision(
        logits.map { $0[label] }, holds: holds.map { $0.contains(label) })
    }
  }

  /// The area under precision over recall in steps, without interpolation; equal scores are one step.
  static func averagePrecision(_ scores: [Float], holds: [Bool]) -> Double? {
    let positives = holds.count { $0 }
    guard positives > 0 else { return nil }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var (found, area, place) = (0, 0.0, 0)
    while place < order.count {
      let (start, score) = (found, scores[order[place]])
      while place < order.count, scores[order[place]] == score {
        found += holds[order[place]] ? 1 : 0
        place += 1
      }
      area += Double(found - start) / Double(positives) * Double(found) / Double(place)
    }
    return area
  }

  public var meanAveragePrecision: Double { Self.mean(labels.compactMap(\.averagePrecision)) }
  /// Over all decisions together.
  public var microF1: Double {
    let (right, either) = labels.reduce((0, 0)) { ($0.0 + $1.rightlySaid, $0.1 + $1.support + $1.said) }
    return either == 0 ? 0 : 2 * Double(right) / Double(either)
  }
  /// The mean of the labels' own.
  public var macroF1: Double { Self.mean(labels.filter { $0.support > 0 }.compactMap(\.f1)) }

  private static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}
