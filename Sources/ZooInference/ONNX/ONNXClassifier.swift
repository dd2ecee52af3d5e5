import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooONNX
import ZooVision

/// An ONNX model of no catalogue that takes one picture and gives a number a class.
final class ONNXClassifier: PictureClassifier {
  let notes: [String]
  let problem: ProblemType
  /// One at a time, whatever the graph's own batch is.
  let batch = 1
  var preprocessing: Preprocessing { input.preprocessing }
  private let input: ONNXPictureInput
  private let engine: ONNXEngine
  private let labels: [String]

  /// - Throws: ``ModelError``, `EngineError`.
  init(_ model: ONNXModel, file: String, options: ClassifierOptions) throws {
    input = try ONNXPictureInput(model, file: file)
    problem = CheckpointMetadata(model.metadata).problem
    engine = try ONNXEngine(model, input: input, file: file, threads: options.threads)
    // A run on grey says how many classes there are, which a graph need not declare.
    let size = input.preprocessing.size
    let grey = Picture(width: size[1], height: size[0], pixels: [UInt8](repeating: 128, count: 3 * size[0] * size[1]))
    let classes = try engine.scores(input.tensor(grey)).count
    var notes = input.notes
    if let labels = options.labels {
      guard labels.count == classes else {
        throw ModelError.labels(file: file, found: labels.count, classes: classes)
      }
      self.labels = labels
    } else {
      let found = Self.labels(model.metadata, classes: classes, catalog: options.catalog)
      labels = found.labels
      notes += found.note.map { [$0] } ?? []
    }
    self.notes = notes
  }

  func run(prepared pictures: [FloatTensor]) throws -> [Prediction] {
    try pictures.map {
      Prediction(logits: try engine.scores(input.tensor(prepared: $0)), labels: labels, problem: problem)
    }
  }

  /// Keys under which exporters leave the names of classes.
  private static let keys = ["zoo.labels", "names", "labels", "classes", "class_names"]

  private static func labels(
    _ metadata: [String: String], classes: Int, catalog: Catalog
  ) -> (labels: [String], note: String?) {
    for key in keys {
      let names = metadata[key].map { ClassNames($0).names } ?? []
      if names.count == classes { return (names, nil) }
    }
    let known = catalog.models.first { $0.labels.count == 1000 }?.labels ?? []
    if classes == 1000, !known.isEmpty { return (known, "the model names no classes: with 1000 they are ImageNet's") }
    if classes == 1001, !known.isEmpty {
      return (["background"] + known, "the model names no classes: with 1001 they are a background and ImageNet's")
    }
    return ([], "the model names no classes: give them with --labels")
  }
}
