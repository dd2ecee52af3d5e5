import Foundation
import ZooCheckpoint
import ZooGraph

/// What fine-tuning on texts gave and where it is.
public struct FineTunedText: Sendable {
  public let folder: RunFolder
  public let checkpointDigest: String
  public let purpose: TextPurpose
  public let epochs: [EpochRecord]
  /// From 1.
  public let bestEpoch: Int
  /// Without labels where texts have no classes.
  public let confusion: ConfusionMatrix
  /// Parameters that started from nothing.
  public let newlyInitialised: [String]

  /// The record of the epoch whose weights were kept.
  public var best: EpochRecord? { epochs.first { $0.epoch == bestEpoch } }
}

/// Writes what a finished run leaves: the checkpoint and the report.
struct TextRunResult {
  let tuning: TextFineTuning
  let trained: TrainedRun
  /// Of the validation's texts; empty where they have no classes.
  let logits: [[Float]]

  private static let mistakesShown = 12
  private static let charactersShown = 200

  private var network: PretrainedText { tuning.network }
  private var name: String { network.model.name ?? network.description.family }

  func write() throws -> FineTunedText {
    var confusion = ConfusionMatrix(labels: tuning.dataset.labels)
    for (row, text) in zip(logits, tuning.dataset.validation) {
      confusion.add(truth: text.label, prediction: SoftmaxLoss.highest(row))
    }
    let written = try writeCheckpoint()
    let file = try AtomicFile(path: tuning.folder.report, overwrite: true)
    try file.write(HTMLReport(content(confusion, written)).html())
    try file.commit()
    return FineTunedText(
      folder: tuning.folder, checkpointDigest: written.digest, purpose: tuning.dataset.purpose,
      epochs: trained.position.records, bestEpoch: trained.position.bestEpoch, confusion: confusion,
      newlyInitialised: network.newlyInitialised)
  }

  private func writeCheckpoint() throws -> WrittenCheckpoint {
    var stateDict = try network.pretrained()
    for (name, tensor) in trained.best.sorted(by: { $0.key < $1.key }) { stateDict[name] = try tensor.stored() }
    try stateDict.restoreAliases(network.graph.aliases)
    var metadata = CheckpointMetadata()
    metadata.model = name
    metadata.config = network.description.json
    metadata.labels = tuning.dataset.labels.isEmpty ? nil : tuning.dataset.labels
    metadata.input = network.model.metadata.input
    metadata.tokenizer = network.model.metadata.tokenizer
    metadata.newlyInitialised = network.newlyInitialised
    metadata.training = CheckpointMetadata.encode(
      TrainingRecord(
        trained.position, recipe: tuning.recipe, purpose: tuning.dataset.purpose,
        parent: .init(model: name, digest: network.digest), training: tuning.dataset.training.count,
        validation: tuning.dataset.validation.count))
    return try CheckpointWriter.write(stateDict, metadata: metadata, to: tuning.folder.model, overwrite: true)
  }

  private func content(_ confusion: ConfusionMatrix, _ written: WrittenCheckpoint) -> ReportContent {
    let (recipe, dataset) = (tuning.recipe, tuning.dataset)
    var content = ReportContent(
      title: "Fine-tuning \(name)", command: tuning.command,
      facts: [
        ("Model", name), ("Weights", network.model.path), ("Weights' digest", network.digest), ("Data", dataset.path),
        ("Texts", "\(dataset.training.count) training, \(dataset.validation.count) validation"),
        ("Recipe", recipe.kind.rawValue),
        (
          "NEWLY INITIALISED", network.newlyInitialised.isEmpty ? "–" : network.newlyInitialised.joined(separator: ", ")
        ),
        ("Epochs", "\(recipe.epochs), of \(recipe.batchSize) texts a step"),
        (
          "Optimizer",
          "\(recipe.optimizer.rawValue), learning rate \(recipe.learningRate), weight decay \(recipe.weightDecay)"
        ),
        ("Seed", "\(recipe.seed)"), ("Result", tuning.folder.model), ("Result's digest", written.digest),
      ],
      epochs: trained.position.records, bestEpoch: trained.position.bestEpoch, confusion: confusion,
      mistakes: mistakes(), warnings: warnings())
    content.examples = dataset.purpose == .classes ? "texts" : "tokens"
    return content
  }

  private func warnings() -> [String] {
    let shared = tuning.dataset.sharedTexts
    guard !shared.isEmpty else { return [] }
    let names = shared.prefix(5).map { "\($0.validation) = \($0.training)" }.joined(separator: ", ")
    return [
      "\(shared.count) validation texts are also training texts, which flatters the result: \(names)"
        + (shared.count > 5 ? ", …" : "")
    ]
  }

  private func mistakes() -> [ReportContent.Mistake] {
    let labels = tuning.dataset.labels
    var found: [ReportContent.Mistake] = []
    for (row, text) in zip(logits, tuning.dataset.validation) {
      let prediction = SoftmaxLoss.highest(row)
      guard prediction != text.label else { continue }
      let shown = text.text.count > Self.charactersShown ? text.text.prefix(Self.charactersShown) + "…" : text.text[...]
      found.append(
        ReportContent.Mistake(
          name: "\(text.name): \(shown)", truth: labels[text.label], prediction: labels[prediction],
          confidence: Double(SoftmaxLoss.probabilities(row)[prediction]), thumbnail: nil))
    }
    return Array(found.sorted { $0.confidence > $1.confidence }.prefix(Self.mistakesShown))
  }
}
