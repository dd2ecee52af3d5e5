import ZooCheckpoint

/// What a network's outputs are to say of pictures, and how wrong they are.
protocol Objective: Sendable {
  /// Of one picture.
  var outputs: Int { get }
  /// Of the loss, for people.
  var lossName: String { get }
  /// What the outputs should be, [N, outputs].
  func targets(_ examples: [Example]) -> [Float]
  /// - Parameters:
  ///   - logits: [N, outputs].
  ///   - targets: [N, outputs].
  ///   - gradient: receives the gradient of the mean.
  /// - Returns: the outcome, with the mean's own weight.
  func outcome(_ logits: [Float], targets: [Float], gradient: inout [Float]) -> StepOutcome
  /// How good a row of logits for each example is.
  func judge(_ logits: [[Float]], _ examples: [Example]) -> Judgement
  /// The outputs' own units over those that are learnt; nil where they are the same.
  var scale: OutputScale? { get }
}

extension Objective {
  var scale: OutputScale? { nil }

  /// Over the examples.
  func meanLoss(_ logits: [[Float]], _ examples: [Example]) -> Double {
    var gradient = [Float](repeating: 0, count: logits.count * outputs)
    let outcome = outcome(logits.flatMap(\.self), targets: targets(examples), gradient: &gradient)
    return outcome.loss / max(outcome.weight, 1)
  }
}

extension Recipe {
  /// - Parameter dataset: whose training pictures say what is rare, and how large numbers are.
  /// - Throws: ``TrainingError/badOption(name:value:expected:)`` where the recipe asks for what the problem hasn't.
  func objective(for dataset: Dataset, _ training: [Example]) throws(TrainingError) -> any Objective {
    try check(for: dataset.problem)
    let outputs = dataset.labels.count
    switch dataset.problem {
    case .classes:
      return ClassLoss(
        classes: outputs, smoothing: Float(labelSmoothing),
        weights: balancesClasses ? ClassLoss.balancedWeights(training.map(\.label), classes: outputs) : nil)
    case .multiLabel:
      return LabelLoss(
        outputs: outputs, smoothing: Float(labelSmoothing),
        positiveWeights: balancesClasses ? LabelLoss.balancedWeights(training.map(\.labels), labels: outputs) : nil)
    case .regression: return ValueLoss(outputs: outputs, standardising: training.map(\.values))
    }
  }

  /// - Throws: ``TrainingError/badOption(name:value:expected:)``.
  func check(for problem: ProblemType) throws(TrainingError) {
    guard problem == .regression else { return }
    let expected = "classes or labels, numbers have nothing of it"
    if labelSmoothing > 0 {
      throw .badOption(name: "--label-smoothing", value: "\(labelSmoothing)", expected: expected)
    }
    if balancesClasses { throw .badOption(name: "--class-weights", value: "", expected: expected) }
    if cutmix > 0 {
      throw .badOption(
        name: "--cutmix", value: "\(cutmix)", expected: "classes or labels: a number isn't a share of a picture's area")
    }
  }
}
