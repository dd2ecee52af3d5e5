import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooGraph
import ZooVision

/// An image classifier ready to run: a network, its preprocessing and the names of its classes.
///
///     let classifier = try Classifier(LoadedModel(path: "resnet50.safetensors"))
///     let prediction = try classifier.predict(Picture.decode(path: "cat.jpg"))
///     print(prediction.top(5))
public final class Classifier: Sendable {
  public let model: LoadedModel
  /// Number of pictures that a run takes.
  public let batch: Int
  public var preprocessing: Preprocessing { model.preprocessing }
  private let plan: Plan

  /// - Parameter threads: nil for one a core.
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, `PictureError`.
  public init(_ model: LoadedModel, batch: Int = 1, threads: Int? = nil) throws {
    self.model = model
    self.batch = batch
    try model.require(.imageClassification)
    try model.preprocessing.check()
    guard model.preprocessing.givesOneSize else {
      throw ModelError.notClassifier(file: model.path, problem: "its pictures are resized but not cropped to one size")
    }
    plan = try compile(
      model.graph, weights: model.weights, inputShape: [batch, 3] + model.preprocessing.size,
      options: CompileOptions(threads: threads))
  }

  /// Probabilities for up to ``batch`` pictures.
  ///
  /// - Throws: `PictureError`, `EngineError`.
  public func predict(_ pictures: [Picture]) throws -> [Prediction] {
    try run(prepared: pictures.map(model.preprocessing.apply))
  }

  /// Probabilities for up to ``batch`` prepared pictures.
  ///
  /// - Throws: `EngineError`.
  public func run(prepared pictures: [FloatTensor]) throws -> [Prediction] {
    guard !pictures.isEmpty else { return [] }
    let logits = try plan.run(batched(pictures, batch: batch))[0].values()
    let classes = plan.outputShapes[0][1]
    return pictures.indices.map { index in
      Prediction(
        logits: Array(logits[index * classes..<(index + 1) * classes]), labels: model.labels, problem: model.problem)
    }
  }
}
