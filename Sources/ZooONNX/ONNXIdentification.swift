import Foundation
import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph

extension Catalog {
  /// The models that a file's weights may be, best first: by names and shapes, and for an ONNX graph by its structure,
  /// since exporters rename tensors, transpose them and fold BatchNorm away.
  public func identify(_ file: WeightFile) -> [Identification] {
    let byName = identify(file.stateDict, settings: file.publisherSettings)
    // What zoo exported is a checkpoint with canonical names.
    guard let model = file.onnx, file.metadata["zoo.config"] == nil else { return byName }
    let partial = byName.filter { !$0.isExact && !$0.isHeadless }
    if let network = NativeNetwork(model) {
      let found = identify(network, named: byName.filter(\.isExact).map(\.model))
      return found + partial.filter { candidate in !found.contains { $0.model.name == candidate.model.name } }
    }
    // A graph that can't be held against the catalogue's has its names alone, which tell nothing of transposition.
    return model.hasTransposedWeights ? partial : byName
  }

  /// How a file's weights fit one model, however badly; nil only where its configuration doesn't build.
  public func identify(_ file: WeightFile, as model: Model) -> Identification? {
    identify(file).first { $0.model.name == model.name && $0.isExact }
      ?? identify(file.stateDict, settings: file.publisherSettings, as: model)
  }

  /// The models whose graph a network's is, with BatchNorm as it stands or folded into the convolutions: one, or those
  /// among which nothing decides.
  ///
  /// - Parameter likely: models that the names fit.
  func identify(_ network: NativeNetwork, named likely: [Model]) -> [Identification] {
    let named = structuralFits(network, among: likely)
    // Another model would have to have all the names too, and be among them.
    let best = FitRank(zeros: 0, agreement: network.graph.parameters.count, isFolded: false)
    let found = named.contains { $0.rank == best } ? named : structuralFits(network, among: models)
    guard let best = found.map(\.rank).min() else { return [] }
    // Variants of one model differ in tensors that folding leaves none of; the last has the fewest.
    var fitting: [Identification] = []
    for (identification, rank) in found where rank == best {
      fitting.removeAll { $0.model.name == identification.model.name }
      fitting.append(identification)
    }
    return fitting
  }

  private func structuralFits(
    _ network: NativeNetwork, among models: [Model]
  ) -> [(identification: Identification, rank: FitRank)] {
    var found: [(Identification, FitRank)] = []
    let convolutions = network.graph.convolutionCount
    for (candidate, config, whole) in networks(of: models.filter { $0.inputSize.count == 2 })
    where whole.convolutionCount <= convolutions {
      let folded = whole.foldingBatchNormalization()
      for (graph, isFolded) in [(whole, false), (folded, true)] {
        if isFolded, folded.nodes.count == whole.nodes.count { continue }
        guard graph.parameters.count >= network.graph.parameters.count,
          let match = StructuralMatch(model: graph, other: network.graph, input: network.inputShape),
          let stateDict = match.stateDict(of: graph, from: network.stateDict)
        else { continue }
        let identification = Identification(
          model: candidate, config: config, naming: isFolded ? "folded ONNX" : "ONNX", classes: match.classes,
          stateDict: stateDict, isFolded: isFolded)
        let agreement = match.names.count { $0.key == $0.value }
        found.append((identification, FitRank(zeros: match.zeros.count, agreement: agreement, isFolded: isFolded)))
      }
    }
    return found
  }
}

/// How well a graph matches, best first. A VGG whose BatchNorm is folded is one that never had any: names decide, then the
/// simpler description.
private struct FitRank: Comparable {
  /// Biases that the graph leaves out.
  let zeros: Int
  /// Parameters that have the model's names.
  let agreement: Int
  let isFolded: Bool

  static func < (first: FitRank, second: FitRank) -> Bool {
    (first.zeros, -first.agreement, first.isFolded ? 1 : 0) < (second.zeros, -second.agreement, second.isFolded ? 1 : 0)
  }
}

extension WeightFile {
  /// The `config.json` beside weights that aren't a checkpoint yet.
  package var publisherSettings: JSONValue? {
    guard metadata["zoo.config"] == nil, let text = publisherConfig else { return nil }
    return try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }
}

extension StructuralMatch {
  /// The other network's tensors under the model's names; nil where one is missing.
  fileprivate func stateDict(of graph: Graph, from tensors: StateDict) -> StateDict? {
    var stateDict = StateDict()
    for parameter in graph.parameters {
      if let shape = zeros[parameter.name], let count = shape.first {
        let storage = MemoryStorage([UInt8](repeating: 0, count: count * 4))
        stateDict[parameter.name] = try? Tensor(dtype: .float32, shape: shape, storage: storage)
      } else if let name = names[parameter.name], let tensor = tensors[name] {
        stateDict[parameter.name] = tensor
      } else {
        return nil
      }
    }
    return stateDict
  }
}

extension Graph {
  /// Folding leaves it as it is, so it tells most models apart before anything is folded or matched.
  fileprivate var convolutionCount: Int {
    nodes.count { if case .convolution = $0.operation { true } else { false } }
  }
}

extension ONNXModel {
  /// Whether some matrix stands as [inputs, outputs], the other way round than a state dict's.
  fileprivate var hasTransposedWeights: Bool {
    graph.nodes.contains { node in
      guard node.inputs.count > 1, let weight = graph.initializers[node.inputs[1]], weight.shape.count == 2 else {
        return false
      }
      return node.operatorName == "MatMul" || node.operatorName == "Gemm" && node.integer("transB", 0) == 0
    }
  }
}
