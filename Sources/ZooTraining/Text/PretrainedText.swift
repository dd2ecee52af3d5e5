import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooInference

/// A text model with the head that its new task needs.
public struct PretrainedText: Sendable {
  public let model: TextModel
  public let purpose: TextPurpose
  /// The architecture, the new head included.
  public let description: NetworkDescription
  public let graph: Graph
  /// Parameters that the pretrained weights say nothing of.
  public let newlyInitialised: [String]
  /// SHA-256 of the weights' data.
  public let digest: String
  /// Names in the model's state dict of what is taken from it.
  private let sources: [String: String]

  /// What texts of such a model are learnt for, as long as nobody says otherwise.
  ///
  /// - Parameter hasTargets: whether each text comes with a class or an answer.
  public static func purpose(of task: NetworkTask, hasTargets: Bool) -> TextPurpose {
    switch task {
    case .text2TextGeneration: .answers
    case .textGeneration where !hasTargets: .continuation
    default: .classes
    }
  }

  /// - Parameter labels: of the data's classes; the last layer is kept where it has been trained for these very ones.
  /// - Throws: ``TrainingError``, `FamilyError`, `FileError`.
  public init(_ model: TextModel, purpose: TextPurpose, labels: [String]) throws {
    let task: NetworkTask =
      switch purpose {
      case .classes: .textClassification
      case .answers: .text2TextGeneration
      case .continuation: .textGeneration
      }
    let classes = purpose == .classes ? labels.count : model.description.classes
    guard let description = try model.description.adapted(to: task, classes: classes) else {
      throw TrainingError.wrongTask(model: model.path, task: task)
    }
    self.model = model
    self.purpose = purpose
    self.description = description
    graph = try description.graph()
    digest = try model.metadata.digest ?? Digest.sha256(of: MappedFile(path: model.path))
    let keepsHead = model.task == task && model.labels == labels
    let head = keepsHead ? nil : graph.headModule
    var sources: [String: String] = [:]
    var new: [String] = []
    let headStage = graph.parametersOfLastStage
    for parameter in graph.parameters {
      let name = parameter.name
      let source = Self.source(of: name, in: model.stateDict)
      if let source, head.map({ !name.hasPrefix($0 + ".") }) ?? true {
        sources[name] = source
      } else if headStage.contains(name) {
        new.append(name)
      } else {
        throw TrainingError.missingTensor(file: model.path, name: name)
      }
    }
    self.sources = sources
    newlyInitialised = new
  }

  /// Networks without a head leave out the name of the network within them: `embeddings.…` for `bert.embeddings.…`.
  private static func source(of name: String, in stateDict: StateDict) -> String? {
    if stateDict[name] != nil { return name }
    guard let dot = name.firstIndex(of: ".") else { return nil }
    let short = String(name[name.index(after: dot)...])
    return stateDict[short] == nil ? nil : short
  }

  /// Each parameter's tensor as the pretrained weights have it; none for what is newly initialised.
  ///
  /// - Throws: ``TrainingError/misshapenTensor(file:name:expected:found:)``.
  func pretrained() throws(TrainingError) -> StateDict {
    var stateDict = StateDict()
    for parameter in graph.parameters {
      guard let source = sources[parameter.name], let tensor = model.stateDict[source] else { continue }
      guard tensor.shape == parameter.shape else {
        throw .misshapenTensor(file: model.path, name: source, expected: parameter.shape, found: tensor.shape)
      }
      stateDict[parameter.name] = tensor
    }
    return stateDict
  }

  /// The weights that training begins with.
  ///
  /// - Throws: ``TrainingError``, `TensorError`, `FileError`.
  func weights(_ recipe: Recipe) throws -> Weights {
    guard recipe.kind != .scratch else { return RandomWeights.make(for: graph, seed: recipe.seed) }
    var new = graph
    new.parameters.removeAll { !newlyInitialised.contains($0.name) }
    return try RandomWeights.make(for: new, seed: recipe.seed).merging(pretrained().floatWeights()) { $1 }
  }
}

extension Graph {
  /// Names of the parameters that nothing before the last stage uses.
  fileprivate var parametersOfLastStage: Set<String> {
    let last = stages.count - 1
    let before = Set(nodes.filter { $0.stage < last }.flatMap(\.inputs))
    return Set(parameters.filter { !before.contains($0.value) }.map(\.name))
  }
}
