import Foundation
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

  /// Probabilities of the classes for one picture.
  ///
  /// - Throws: `PictureError`, `EngineError`.
  public func predict(_ picture: Picture) throws -> Prediction {
    try predict([picture])[0]
  }

  /// Probabilities for up to ``batch`` pictures.
  ///
  /// - Throws: `PictureError`, `EngineError`.
  public func predict(_ pictures: [Picture]) throws -> [Prediction] {
    precondition(pictures.count <= batch, "\(pictures.count) pictures for batches of \(batch)")
    let each = 3 * model.preprocessing.size.reduce(1, *)
    var input = [Float](repeating: 0, count: batch * each)
    try input.withUnsafeMutableBufferPointer { buffer in
      for (index, picture) in pictures.enumerated() {
        try model.preprocessing.write(picture, into: .init(rebasing: buffer[index * each..<(index + 1) * each]))
      }
    }
    let logits = try plan.run(FloatTensor(shape: plan.inputShape, values: input))[0].values()
    let classes = plan.outputShapes[0][1]
    return pictures.indices.map { index in
      Prediction(logits: Array(logits[index * classes..<(index + 1) * classes]), labels: model.labels)
    }
  }
}

/// What a classifier says of a picture.
public struct Prediction: Sendable {
  public struct Guess: Sendable, Equatable, Encodable {
    public let label: String
    public let index: Int
    public let probability: Double
  }
  public let logits: [Float]
  public let labels: [String]

  /// Softmax of the logits.
  public var probabilities: [Double] {
    let peak = Double(logits.max() ?? 0)
    let exponentials = logits.map { exp(Double($0) - peak) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// The likeliest classes, best first.
  public func top(_ count: Int) -> [Guess] {
    probabilities.enumerated().sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(count).map {
      Guess(
        label: $0.offset < labels.count ? labels[$0.offset] : "class \($0.offset)", index: $0.offset,
        probability: $0.element)
    }
  }
}
