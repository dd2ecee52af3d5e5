import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooVision

/// Anything that says what is in a picture.
public protocol PictureClassifier: PictureNetwork where Output == Prediction {
  /// How its outputs are to be read.
  var problem: ProblemType { get }
  /// What a person should know of how pictures are read, such as a preprocessing that had to be guessed.
  var notes: [String] { get }
}

extension PictureClassifier {
  /// Probabilities of the classes for one picture.
  ///
  /// - Throws: `PictureError`, and what running the network throws.
  public func predict(_ picture: Picture) throws -> Prediction {
    try run(prepared: [preprocessing.apply(picture)])[0]
  }
}

extension Classifier: PictureClassifier {
  public var problem: ProblemType { model.problem }
  public var notes: [String] { [] }
}

/// A network ready to run, by what it says of pictures or texts.
public enum OpenedNetwork: Sendable {
  case classifier(any PictureClassifier)
  case segmenter(Segmenter)
  case reader(TextReader)
}

/// How a classifier is to be opened.
public struct ClassifierOptions: Sendable {
  public var catalog: Catalog
  /// nil for one a core.
  public var threads: Int?
  /// Names of the classes, where the file's own are not wanted.
  public var labels: [String]?
  /// Pictures that a run takes, as far as the network leaves a choice.
  public var batch: Int
  /// How the weights of a network for texts are kept.
  public var precision = SequencePrecision.float32

  public init(catalog: Catalog, threads: Int? = nil, labels: [String]? = nil, batch: Int = 1) {
    self.catalog = catalog
    self.threads = threads
    self.labels = labels
    self.batch = batch
  }

  /// The classifier that a file holds: a network of the catalogue, or an ONNX model of any architecture.
  ///
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, and what opening the file throws.
  public func open(_ path: String) throws -> any PictureClassifier {
    switch try openNetwork(path) {
    case .classifier(let classifier): return classifier
    case .segmenter(let segmenter):
      throw ModelError.wrongTask(file: path, task: segmenter.model.task, expected: .imageClassification)
    case .reader(let reader):
      throw ModelError.wrongTask(file: path, task: reader.model.task, expected: .imageClassification)
    }
  }

  /// The network that a file holds, for whatever task.
  ///
  /// - Throws: ``ModelError``, `EngineError`, `GraphError`, and what opening the file throws.
  public func openNetwork(_ path: String) throws -> OpenedNetwork {
    let source = try WeightFile.open(path: path)
    do {
      switch try OpenedModel(source, catalog: catalog) {
      case .text(let model): return .reader(try TextReader(model, precision: precision, threads: threads))
      case .picture(let model) where model.task == .imageSegmentation:
        return .segmenter(try Segmenter(labelled(model), threads: threads))
      case .picture(let model):
        return .classifier(try Classifier(labelled(model), batch: batch, threads: threads))
      }
    } catch ModelError.notIdentified {
      guard let model = source.onnx else { throw ModelError.notIdentified(file: path, nearest: nil) }
      return .classifier(try ONNXClassifier(model, file: path, options: self))
    }
  }

  /// The model with the names of classes that were asked for.
  private func labelled(_ model: LoadedModel) throws -> LoadedModel {
    guard let labels else { return model }
    guard labels.count == model.description.classes else {
      throw ModelError.labels(file: model.path, found: labels.count, classes: model.description.classes)
    }
    var model = model
    model.labels = labels
    return model
  }

  /// Reads names of classes: JSON, or a name a line.
  ///
  /// - Throws: `FileError`, ``ModelError/noLabels(file:)``.
  public static func labels(path: String) throws -> [String] {
    let file = try MappedFile(path: path)
    guard file.count <= 1 << 24 else { throw ModelError.noLabels(file: path) }
    let data = try file.withBytes(offset: 0, count: file.count) { Data($0) }
    guard let text = String(data: data, encoding: .utf8) else { throw ModelError.noLabels(file: path) }
    let labels = ClassNames(text).names
    guard !labels.isEmpty else { throw ModelError.noLabels(file: path) }
    return labels
  }
}
