import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference
import ZooVision

/// Weights with all that is needed to run them: the architecture, the labels, how pictures are prepared.
public struct PretrainedNetwork: Sendable {
  /// Catalogue name, or what else to call it.
  public var name: String
  public var description: NetworkDescription
  public var labels: [String]
  /// JSON, as checkpoints carry it.
  public var input: String
  public var preprocessing: Preprocessing
  public var stateDict: StateDict
  /// SHA-256 of the weights' data.
  public var digest: String
  /// The file, as the user named it.
  public var path: String

  /// - Parameter input: preprocessing as JSON.
  /// - Throws: `PictureError`, `DecodingError`.
  public init(
    name: String, description: NetworkDescription, labels: [String], input: String, stateDict: StateDict,
    digest: String, path: String
  ) throws {
    self.name = name
    self.description = description
    self.labels = labels
    self.input = input
    do {
      preprocessing = try JSONDecoder().decode(Preprocessing.self, from: Data(input.utf8))
    } catch {
      throw PictureError.badPreprocessing(problem: "\(path): zoo.input is not the JSON of a preprocessing")
    }
    try preprocessing.check()
    self.stateDict = stateDict
    self.digest = digest
    self.path = path
  }

  /// What only training from scratch uses, such as an auxiliary classifier, is left behind: it knows the old classes.
  ///
  /// - Parameter task: what the network must be for.
  /// - Throws: `ModelError`, `PictureError`, `FamilyError`, and ``TrainingError/noDescription(file:)`` where the preprocessing is unknown.
  public init(_ model: LoadedModel, for task: NetworkTask = .imageClassification) throws {
    try model.require(task)
    guard let input = model.metadata.input else { throw TrainingError.noDescription(file: model.path) }
    let description = try model.description.withoutTrainingParts()
    var stateDict = model.stateDict
    if description != model.description {
      let graph = try description.graph()
      let kept = Set(graph.parameters.map(\.name) + graph.integerBuffers)
      for name in model.graph.parameters.map(\.name) + model.graph.integerBuffers where !kept.contains(name) {
        stateDict[name] = nil
      }
    }
    try self.init(
      name: model.name ?? model.description.family, description: description, labels: model.labels,
      input: input, stateDict: stateDict,
      digest: model.metadata.digest ?? Digest.sha256(of: MappedFile(path: model.path)), path: model.path)
  }

  /// A network of the catalogue without weights, to be trained from scratch.
  ///
  /// - Throws: `ModelError`, `PictureError`, `FamilyError`, `DecodingError`.
  public init(untrained model: Model, for task: NetworkTask = .imageClassification) throws {
    let description = model.description()
    let known = try description.task()
    guard known == task else { throw ModelError.wrongTask(file: model.name, task: known, expected: task) }
    try self.init(
      untrained: model.name, description: description.withoutTrainingParts(), input: model.input)
  }

  /// A network without weights. What stands for their digest is the network's own, so that no other's run is resumed.
  init(untrained name: String, description: NetworkDescription, input: String) throws {
    try self.init(
      name: name, description: description, labels: [], input: input, stateDict: StateDict(),
      digest: Digest.sha256(of: description.json), path: name)
  }

  /// The network's weights, each checked against the graph; `except` names those that aren't needed.
  ///
  /// - Throws: ``TrainingError``.
  public func weights(for graph: Graph, except: Set<String> = []) throws -> Weights {
    var weights = Weights()
    for parameter in graph.parameters where !except.contains(parameter.name) {
      guard let tensor = stateDict[parameter.name] else {
        throw TrainingError.missingTensor(file: path, name: parameter.name)
      }
      guard tensor.shape == parameter.shape else {
        throw TrainingError.misshapenTensor(
          file: path, name: parameter.name, expected: parameter.shape, found: tensor.shape)
      }
      weights[parameter.name] = try FloatTensor(tensor)
    }
    return weights
  }
}
