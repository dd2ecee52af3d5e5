/// Chooses a recipe by the number of training examples a class: the more there are, the fewer layers stay frozen.
///
/// That order is common knowledge. Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS
/// 2014: early layers are general, late ones specific to their task, so that late ones are the first to be worth
/// relearning. Kornblith et al., "Do better ImageNet models transfer better?", CVPR 2019: fine-tuning everything wins
/// where there is data, logistic regression on fixed features comes close or wins where there are few examples a class.
/// Howard and Ruder, ACL 2018: thawing stage by stage keeps what was learnt before. Stanford's course CS231n, "Transfer
/// learning": small data gets a linear classifier, large data all layers. None of them gives numbers for where one ends
/// and the next begins; those below are this program's own.
public struct AutomaticRecipe: Sendable, Equatable {
  public let kind: Recipe.Kind
  /// Why, for people.
  public let reason: String

  static let fewest = (lastStage: 20, staged: 100, full: 500)

  /// - Parameters:
  ///   - counts: training examples of each class; empty where there are none.
  ///   - unit: what they are counted by, for people.
  public init(examplesPerClass counts: [Int], unit: String = "a class (median)") {
    let sorted = counts.sorted()
    let median = sorted.dropFirst(sorted.count / 2).first ?? 0
    guard !sorted.isEmpty else {
      (kind, reason) = (.full, "no classes, and so no new head to begin with")
      return
    }
    let why: String
    switch median {
    case ..<Self.fewest.lastStage: (kind, why) = (.head, "too few to change what the network has learnt")
    case ..<Self.fewest.staged: (kind, why) = (.lastN, "enough for the stage that is most specific to the old classes")
    case ..<Self.fewest.full: (kind, why) = (.staged, "enough for several stages, thawed one by one")
    default: (kind, why) = (.full, "enough for all of the network")
    }
    reason = "\(median) training examples \(unit): \(why)"
  }

  /// Of numbers a tenth of the examples stands for a class, as their split has it.
  public init(for dataset: Dataset) {
    switch dataset.problem {
    case .classes: self.init(examplesPerClass: dataset.trainingCounts)
    case .multiLabel: self.init(examplesPerClass: dataset.trainingCounts, unit: "a label (median)")
    case .regression:
      self.init(
        examplesPerClass: [dataset.training.count / PictureStrata.bins], unit: "a tenth of the values' range")
    }
  }
}
