import ZooCatalog
import ZooCheckpoint
import ZooFormats
import ZooGraph

extension Catalog {
  /// The models that a file's weights may be, best first: by names and shapes, and for an ONNX graph whose names say
  /// nothing by its structure.
  public func identify(_ file: WeightFile) -> [Identification] {
    let byName = identify(file.stateDict)
    guard byName.certain == nil, let model = file.onnx, let found = identify(model) else { return byName }
    return [found] + byName.filter { $0.model.name != found.model.name }
  }

  /// The model whose graph an ONNX model's is, with BatchNorm as it stands or folded into the convolutions.
  func identify(_ model: ONNXModel) -> Identification? {
    guard let network = NativeNetwork(model) else { return nil }
    let candidates = models.flatMap { model in model.configs.map { (model, $0) } }
    for (candidate, config) in candidates where candidate.inputSize.count == 2 {
      let description = NetworkDescription(family: candidate.family, config: config, classes: candidate.classes)
      guard let original = try? description.graph() else { continue }
      for (graph, isFolded) in [(original, false), (original.foldingBatchNormalization(), true)] {
        if isFolded, graph.nodes.count == original.nodes.count { continue }
        guard graph.parameters.count == network.graph.parameters.count,
          let match = StructuralMatch(model: graph, other: network.graph, input: network.inputShape)
        else { continue }
        var stateDict = StateDict()
        for parameter in graph.parameters {
          guard let name = match.names[parameter.name], let tensor = network.stateDict[name] else { return nil }
          stateDict[parameter.name] = tensor
        }
        return Identification(
          model: candidate, config: config, naming: isFolded ? "folded ONNX" : "ONNX", classes: match.classes,
          stateDict: stateDict, isFolded: isFolded)
      }
    }
    return nil
  }
}
