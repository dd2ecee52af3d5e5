import ZooCheckpoint
import ZooGraph

/// One known way in which frameworks compute a layer otherwise: the same node, changed.
struct Variant {
  let kind: KnownCause.Kind
  /// What the reference does and the model does not.
  let words: String
  var node: Node
  /// Other parameters, by their place among the node's inputs.
  var replacing: [Int: FloatTensor] = [:]
  /// Instead of the node, where it is an activation.
  var activation: KnownActivation?
}

/// The parameters of one node and what flows into it, for making variants of it.
struct VariantContext {
  let node: Node
  /// By their place among the node's inputs.
  let parameters: [Int: FloatTensor]
  /// What flows into the node.
  let input: FloatTensor
  /// Shape before the flattening that feeds the node, [N, C, H, W].
  let unflattened: [Int]?
  /// What the reference gives here, where its layout is known.
  let wanted: [FloatTensor]

  func changed(_ operation: Operation) -> Node {
    var node = node
    node.operation = operation
    return node
  }

  /// Every known variant, the commonest first.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  func variants() throws -> [Variant] {
    switch node.operation {
    case .convolution(let convolution): try variants(of: convolution)
    case .batchNormalization(let epsilon, let momentum):
      try normalizationVariants(epsilon: epsilon, momentum: momentum)
    case .layerNormalization(let axis, let epsilon):
      [1e-5, 1e-6, 1e-3, 1e-12, 1e-4, 1e-2].filter { $0 != epsilon }.map { other in
        Variant(
          kind: .epsilon, words: "LayerNorm epsilon: the reference's is \(other), this model's \(epsilon)",
          node: changed(.layerNormalization(axis: axis, epsilon: other)))
      }
    case .linear: try linearVariants()
    case .maxPool(let pooling): variants(of: pooling, isMaximum: true)
    case .averagePool(let pooling): variants(of: pooling, isMaximum: false)
    case .activation(let kind):
      KnownActivation.allCases.map {
        Variant(
          kind: .activation, words: "activation: the reference's is \($0.rawValue), this model's \(kind)", node: node,
          activation: $0)
      }
    default: []
    }
  }
}

extension FloatTensor {
  /// The values laid out anew; nil where the shape doesn't allow it.
  ///
  /// - Throws: ``TensorError``, ``FileError``.
  func laidOut(_ transforms: TensorTransform...) throws -> FloatTensor? {
    var current: Tensor? = try Tensor(
      dtype: .float32, shape: shape, storage: MemoryStorage(copying: values()))
    for transform in transforms { current = try current.flatMap { try transform.apply($0) } }
    return try current.map { FloatTensor(shape: $0.shape, values: try $0.floats()) }
  }
}
