import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Weights to begin with where nothing is pretrained.
///
/// He et al., "Delving deep into rectifiers", ICCV 2015: normal with variance 2 / fan-out for convolutions; linear layers
/// normal with variance 1 / inputs; BatchNorm begins as the identity.
enum RandomWeights {
  static func make(for graph: Graph, seed: UInt64) -> Weights {
    var random = SeededGenerator(seed: seed, -1)
    var weights = Weights()
    for parameter in graph.parameters {
      let shape = parameter.shape
      let count = shape.reduce(1, *)
      let values: [Float]
      switch shape.count {
      case 4:
        let deviation = (2 / Double(shape[0] * shape[2] * shape[3])).squareRoot()
        values = (0..<count).map { _ in Float(random.normal() * deviation) }
      case 2:
        let deviation = (1 / Double(shape[1])).squareRoot()
        values = (0..<count).map { _ in Float(random.normal() * deviation) }
      default:
        let isOne = parameter.name.hasSuffix(".weight") || parameter.name.hasSuffix(".running_var")
        values = [Float](repeating: isOne ? 1 : 0, count: count)
      }
      weights[parameter.name] = FloatTensor(shape: shape, values: values)
    }
    return weights
  }
}
