import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Weights to begin with where nothing is pretrained.
///
/// Where a family doesn't say how a parameter begins: He et al., "Delving deep into rectifiers", ICCV 2015: normal with
/// variance 2 / fan-out for convolutions; linear layers normal with variance 1 / inputs; normalisations begin as the identity.
enum RandomWeights {
  static func make(for graph: Graph, seed: UInt64) -> Weights {
    var random = SeededGenerator(seed: seed, -1)
    var weights = Weights()
    for parameter in graph.parameters {
      let count = parameter.shape.reduce(1, *)
      let values: [Float] =
        switch parameter.initial ?? usual(parameter) {
        case .constant(let value): [Float](repeating: value, count: count)
        case .normal(let deviation): (0..<count).map { _ in Float(random.normal() * deviation) }
        }
      weights[parameter.name] = FloatTensor(shape: parameter.shape, values: values)
    }
    for table in graph.coordinateTables {
      weights[table.name] = FloatTensor(shape: table.shape, values: table.values)
    }
    return weights
  }

  private static func usual(_ parameter: Parameter) -> InitialValues {
    let shape = parameter.shape
    switch shape.count {
    case 4: return .normal(deviation: (2 / Double(shape[0] * shape[2] * shape[3])).squareRoot())
    case 2: return .normal(deviation: (1 / Double(shape[1])).squareRoot())
    default:
      return .constant(parameter.name.hasSuffix(".weight") || parameter.name.hasSuffix(".running_var") ? 1 : 0)
    }
  }
}
