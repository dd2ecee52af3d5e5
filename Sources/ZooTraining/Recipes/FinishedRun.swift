import Foundation
import ZooCheckpoint
import ZooEngine

/// A run that has ended, whatever its examples are: what its checkpoint and its report say of it.
struct FinishedRun<Examples: DividedData> {
  /// The pretrained network: its name, its file, and the SHA-256 of the weights' data.
  let model: (name: String, path: String, digest: String)
  let dataset: Examples
  /// Where the data set stands.
  let source: String
  /// Examples that could be read.
  let counts: (training: Int, validation: Int)
  let recipe: Recipe
  let folder: RunFolder
  let trained: TrainedRun
  let findings: any Findings
  let newlyInitialised: [String]
  /// In the last phase.
  let parameters: ParameterCount

  private static var namesShown: Int { 5 }

  /// - Parameter purpose: of texts alone.
  func record(purpose: TextPurpose? = nil) -> TrainingRecord {
    TrainingRecord(
      trained.position, recipe: recipe, purpose: purpose, parent: .init(model: model.name, digest: model.digest),
      parameters: parameters, training: counts.training, validation: counts.validation)
  }

  func result(_ written: WrittenCheckpoint) -> FineTuned {
    FineTuned(
      folder: folder, checkpoint: written.path, parameters: parameters, checkpointDigest: written.digest,
      examples: Examples.examples, epochs: trained.position.records,
      bestEpoch: trained.position.bestEpoch, findings: findings, newlyInitialised: newlyInitialised)
  }

  /// - Parameter facts: more than every run has.
  func report(
    _ written: WrittenCheckpoint, title: String, command: String, facts: [(name: String, value: String)],
    mistakes: [ReportContent.Mistake], warnings: [String] = []
  ) -> ReportContent {
    var content = ReportContent(
      title: title.isEmpty ? "Fine-tuning \(model.name)" : title, command: command,
      facts: [
        ("Model", model.name), ("Weights", model.path), ("Weights' digest", model.digest), ("Data", source),
        (Examples.examples.capitalized, "\(counts.training) training, \(counts.validation) validation"),
      ] + (dataset.labels.isEmpty ? [] : [(dataset.problem.namesTitle, names)]) + [
        ("Recipe", recipe.kind.rawValue),
        ("NEWLY INITIALISED", newlyInitialised.isEmpty ? "–" : newlyInitialised.listedTensors),
        ("Epochs", "\(recipe.totalEpochs), of \(recipe.batchSize) \(Examples.examples) a step"),
        (
          "Optimizer",
          "\(recipe.optimizer.rawValue), learning rate \(recipe.learningRate), weight decay \(recipe.weightDecay)"
        ),
        ("Seed", "\(recipe.seed)"),
      ] + lowRank + [("Parameters that learnt", parameters.words)] + facts + [
        ("Program", "zoo \(ZooVersion.current), \(KernelLibrary.name)"),
        ("Result", written.path), ("Result's digest", written.digest),
      ],
      epochs: trained.position.records, bestEpoch: trained.position.bestEpoch, findings: findings,
      mistakes: mistakes, warnings: warnings + sharedExamples)
    content.examples = Examples.examples
    content.timing = trained.timing
    return content
  }

  private var lowRank: [(name: String, value: String)] {
    recipe.lowRank.map {
      [("Low rank", "rank \($0.rank), alpha \(Float($0.alpha)), " + ($0.isKeptApart ? "kept apart" : "merged"))]
    } ?? []
  }

  private var names: String {
    dataset.problem == .classes ? "\(dataset.labels.count)" : dataset.labels.joined(separator: ", ")
  }

  private var sharedExamples: [String] {
    let shared = dataset.sharedExamples
    guard !shared.isEmpty else { return [] }
    let names = shared.prefix(Self.namesShown).map { "\($0.validation) = \($0.training)" }.joined(separator: ", ")
    return [
      "\(shared.count) validation \(Examples.examples) are also training \(Examples.examples), which flatters the result: "
        + names + (shared.count > Self.namesShown ? ", …" : "")
    ]
  }
}

extension ProblemType {
  /// What a network's outputs are called, for people.
  var namesTitle: String {
    switch self {
    case .classes: "Classes"
    case .multiLabel: "Labels (multi-label)"
    case .regression: "Values (regression)"
    }
  }
}
