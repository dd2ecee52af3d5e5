import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooInference

/// The built-in demo: the shipped network learns three kinds of shapes that it has never seen from a few pictures,
/// beside the same network from scratch.
public struct Demo {
  public static let trainingPictures = 12
  public static let validationPictures = 60

  /// What the comparison gave.
  public struct Outcome: Sendable {
    public let transfer: FineTuned
    /// Validation accuracy of the network that began at random.
    public let scratchAccuracy: Double
  }

  public let folder: String
  public var seed: UInt64 = 1
  public var epochs = 30
  public var command = ""
  public var threads: Int?

  public init(folder: String) { self.folder = folder }

  public enum Part: Sendable { case transfer, scratch }

  /// - Parameter checkpoint: bytes of ``DemoNetwork/file``.
  /// - Throws: ``TrainingError``, `FileError`, `EngineError`.
  public func run(
    checkpoint bytes: [UInt8], resume: Bool, force: Bool, events: @escaping (Part, TrainingEvent) -> Void = { _, _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) throws -> Outcome {
    let run = RunFolder(path: folder)
    try run.prepare(resume: resume, force: force)
    let file = try AtomicFile(path: folder + "/shapes.safetensors", overwrite: true)
    try bytes.withUnsafeBytes { try file.write($0) }
    try file.commit()
    let data = folder + "/pictures"
    try ShapePictures.write(
      ShapeKind.unseen, training: Self.trainingPictures, validation: Self.validationPictures,
      seed: DemoNetwork.seed &+ seed, to: data)
    let dataset = try Dataset(folder: data)
    let network = try PretrainedNetwork(LoadedModel(path: folder + "/shapes.safetensors"))
    var transfer = FineTuning(
      network: network, dataset: dataset, recipe: try Recipe(epochs: epochs, batchSize: 12, seed: seed), folder: folder)
    transfer.cacheFolder = nil
    transfer.options.command = command
    transfer.options.threads = threads
    transfer.title = "The built-in demo: three kinds of shapes, \(Self.trainingPictures) pictures each"
    let scratch = try scratch(dataset, events: { events(.scratch, $0) }, isInterrupted: isInterrupted)
    transfer.warnings = [
      "The same network from scratch, as many epochs over the same pictures: \(Self.percent(scratch)) of the "
        + "validation pictures right."
    ]
    let result = try transfer.run(
      resume: resume, force: force, events: { events(.transfer, $0) }, isInterrupted: isInterrupted)
    return Outcome(transfer: result, scratchAccuracy: scratch)
  }

  private func scratch(
    _ dataset: Dataset, events: @escaping (TrainingEvent) -> Void, isInterrupted: @escaping () -> Bool
  ) throws -> Double {
    let network = try DemoNetwork.untrained(classes: dataset.labels.count)
    let recipe = try Recipe(
      kind: .scratch, epochs: epochs, batchSize: 12, learningRate: 3e-3, seed: seed)
    var tuning = FineTuning(network: network, dataset: dataset, recipe: recipe, folder: folder + "/from-scratch")
    tuning.cacheFolder = nil
    tuning.options.threads = threads
    tuning.title = "The built-in demo, from scratch"
    do {
      return try tuning.run(force: true, events: events, isInterrupted: isInterrupted).score
    } catch TrainingError.interrupted(_, let epoch, let epochs) {
      throw TrainingError.interrupted(folder: folder, epoch: epoch, epochs: epochs)
    }
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
