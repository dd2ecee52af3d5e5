import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooGraph
import ZooONNX
import ZooVision

/// A model opened from a file: graph, weights, labels and preprocessing.
///
/// A canonical checkpoint says all of that itself; any other weight file is identified first.
public struct LoadedModel: Sendable {
  public let path: String
  /// Catalogue name; nil for a network outside the catalogue.
  public let name: String?
  public let description: NetworkDescription
  public let task: NetworkTask
  public let graph: Graph
  public let weights: Weights
  /// Names of the classes, labels or values in the order of the outputs; empty where unknown.
  public internal(set) var labels: [String]
  public let preprocessing: Preprocessing
  public let metadata: CheckpointMetadata
  /// The weights as they are stored, under canonical names.
  public let stateDict: StateDict

  /// How the outputs are to be read.
  public var problem: ProblemType { metadata.problem }

  /// A model by path or, where no such file exists, by catalogue name from the store: `resnet50`,
  /// `resnet50:IMAGENET1K_V1`.
  ///
  /// - Throws: ``ModelError``, `CatalogError`, and what opening the file throws.
  public static func find(_ model: String, catalog: Catalog, store: ModelStore = ModelStore()) throws -> LoadedModel {
    try LoadedModel(path: path(of: model, catalog: catalog, store: store), catalog: catalog)
  }

  /// Where a model is: the path itself or, where no such file exists, its checkpoint in the store.
  ///
  /// - Throws: ``ModelError``, `CatalogError`.
  public static func path(of model: String, catalog: Catalog, store: ModelStore = ModelStore()) throws -> String {
    guard !FileManager.default.fileExists(atPath: model), !model.contains("/") else { return model }
    if store.contains(model) { return store.path(forModel: model) }
    let reference = ModelReference(model)
    // A name with a dot is more likely a file's that isn't there.
    guard !model.contains(".") || catalog.models.contains(where: { $0.name == reference.model }) else { return model }
    _ = try catalog.model(named: reference.model).weights(named: reference.weights)
    throw ModelError.notInStore(model: model)
  }

  /// - Throws: ``ModelError``, and what opening the file throws.
  public init(path: String, catalog: Catalog? = nil) throws {
    try self.init(WeightFile.open(path: path), catalog: catalog)
  }

  /// A model out of an open file.
  ///
  /// - Throws: ``ModelError``, and what reading the file throws.
  public init(_ source: WeightFile, catalog: Catalog? = nil) throws {
    try self.init(ModelContents(source, catalog: catalog))
  }

  /// - Throws: ``ModelError``, `FamilyError`, and what reading the weights throws.
  init(_ contents: ModelContents) throws {
    guard contents.task.isVision else {
      throw ModelError.wrongTask(file: contents.path, task: contents.task, expected: .imageClassification)
    }
    path = contents.path
    name = contents.name
    description = contents.description
    task = contents.task
    stateDict = contents.stateDict
    metadata = contents.metadata
    labels = metadata.labels ?? []
    graph = try description.graph()
    weights = try stateDict.floatWeights()
    guard let input = metadata.input,
      let preprocessing = try? JSONDecoder().decode(Preprocessing.self, from: Data(input.utf8))
    else { throw ModelError.noPreprocessing(file: contents.source.path) }
    self.preprocessing = preprocessing
  }

  /// - Throws: ``ModelError/wrongTask(file:task:expected:)``.
  public func require(_ expected: NetworkTask) throws {
    guard task == expected else { throw ModelError.wrongTask(file: path, task: task, expected: expected) }
  }
}

/// Why a model can't be used.
public enum ModelError: Error, Sendable, Equatable {
  case notInStore(model: String)
  case notIdentified(file: String, nearest: String?)
  case noPreprocessing(file: String)
  /// An ONNX model that isn't one picture in and one number a class out.
  case notClassifier(file: String, problem: String)
  /// A network for another task than the one that was asked for.
  case wrongTask(file: String, task: NetworkTask, expected: NetworkTask)
  case notSegmentation(file: String, problem: String)
  case labels(file: String, found: Int, classes: Int)
  case noLabels(file: String)
  /// A text model without a tokenizer.
  case noTokenizer(file: String)
  /// A text without the token that is to be filled in.
  case noMask(token: String)
  /// A network that doesn't end in a linear layer.
  case noFeatures(model: String)
}

extension ModelError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .notInStore(let model):
      ErrorReport(.noInput, problem: "\(model) is not in the store", advice: "to bring it there: zoo pull \(model)")
    case .notIdentified(let file, let nearest):
      ErrorReport(
        .badData, file: file, problem: "is no network of the catalogue" + (nearest.map { " (nearest: \($0))" } ?? ""),
        advice: "zoo inspect shows its tensors")
    case .noPreprocessing(let file):
      ErrorReport(.badData, file: file, place: "zoo.input", problem: "doesn't say how pictures are prepared")
    case .notClassifier(let file, let problem):
      ErrorReport(
        .badData, file: file, problem: "can't be shown pictures: \(problem)", advice: "zoo inspect shows its inputs")
    case .wrongTask(let file, let task, let expected):
      ErrorReport(
        .usage, file: file, problem: "is a network for \(task.rawValue), expected one for \(expected.rawValue)",
        advice: "zoo list --task \(expected.rawValue) names such models")
    case .notSegmentation(let file, let problem):
      ErrorReport(.badData, file: file, problem: "can't give each pixel a class: \(problem)")
    case .labels(let file, let found, let classes):
      ErrorReport(.usage, file: file, problem: "has \(classes) classes, and --labels names \(found)")
    case .noTokenizer(let file):
      ErrorReport(
        .badData, file: file, problem: "carries no tokenizer, and none lies beside it",
        advice: "convert it in the folder of its tokenizer.json, vocab.txt or vocab.json and merges.txt")
    case .noMask(let token):
      ErrorReport(.usage, problem: "the text has no \(token), the place that is to be filled in")
    case .noFeatures(let model):
      ErrorReport(
        .badData, problem: "\(model) doesn't end in a linear layer, whose input the features would be",
        advice: "zoo info shows its stages")
    case .noLabels(let file):
      ErrorReport(.badData, file: file, problem: "names no classes, expected JSON or a name a line")
    }
  }
}
