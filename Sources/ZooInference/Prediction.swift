import Foundation
import ZooCheckpoint

/// What a classifier says of a picture.
public struct Prediction: Sendable {
  public struct Guess: Sendable, Equatable, Encodable {
    public let label: String
    public let index: Int
    public let probability: Double
  }
  /// A number that a regression network gives.
  public struct Value: Sendable, Equatable, Encodable {
    public let name: String
    public let value: Double
  }
  public let logits: [Float]
  public let labels: [String]
  public let problem: ProblemType

  public init(logits: [Float], labels: [String], problem: ProblemType = .classes) {
    self.logits = logits
    self.labels = labels
    self.problem = problem
  }

  /// Softmax of the logits; of labels that each stand for themselves their sigmoids.
  public var probabilities: [Double] {
    guard problem != .multiLabel else { return logits.map { 1 / (1 + exp(-Double($0))) } }
    let peak = Double(logits.max() ?? 0)
    let exponentials = logits.map { exp(Double($0) - peak) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// The outputs by their names, as a regression network means them.
  public var values: [Value] { logits.indices.map { Value(name: name($0), value: Double(logits[$0])) } }

  /// With the mean of both probabilities, of numbers their mean.
  package func averaged(with other: Prediction) -> Prediction {
    let pairs = zip(probabilities, other.probabilities)
    let means: [Float] =
      switch problem {
      case .classes: pairs.map { Float(log(($0 + $1) / 2)) }
      case .multiLabel: pairs.map { Float(log(($0 + $1) / (2 - $0 - $1))) }
      case .regression: zip(logits, other.logits).map { ($0 + $1) / 2 }
      }
    return Prediction(logits: means, labels: labels, problem: problem)
  }

  /// The likeliest classes, best first; of equally likely ones the earlier.
  public func top(_ count: Int) -> [Guess] {
    guard count > 0 else { return [] }
    let probabilities = probabilities
    var best: [Int] = []
    for (index, probability) in probabilities.enumerated() {
      guard best.count < count || probability > probabilities[best[best.count - 1]] else { continue }
      let place = best.firstIndex { probabilities[$0] < probability } ?? best.count
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best.map { Guess(label: name($0), index: $0, probability: probabilities[$0]) }
  }

  private func name(_ index: Int) -> String {
    index < labels.count ? labels[index] : problem == .regression ? "value \(index)" : "class \(index)"
  }
}
