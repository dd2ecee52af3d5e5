import ZooCheckpoint

/// Kernels that Keras 1 or other backends stored another way round, turned as today's Keras would store them.
struct KerasKernels {
  /// `theano` convolves, all others correlate.
  private let backend: String?
  /// Whether kernels stand as (outputs, inputs, height, width), Theano's order, which Keras 1 could be set to.
  private let isTheanoOrdered: Bool
  /// The first dense layer behind convolutions whose pictures were flattened channel by channel, and the channels that its rows run over first.
  private let flattened: (name: String, channels: Int)?

  /// - Parameters:
  ///   - weights: names and tensors in the order of the layers.
  ///   - isKeras1: whether kernels may be in Theano's order.
  ///   - flattensByChannel: whether the first dense layer's rows follow channels, whatever the kernels' order.
  init(_ weights: [(name: String, tensor: Tensor)], isKeras1: Bool, backend: String?, flattensByChannel: Bool) {
    self.backend = backend
    let kernels = weights.filter { $0.name.hasSuffix(".kernel") }
    let shapes = kernels.map(\.tensor.shape).filter { $0.count == 4 }
    isTheanoOrdered =
      isKeras1 && shapes.contains(where: Self.isSurelyTheano) && !shapes.contains(where: Self.isSurelyOurs)
    flattened = isTheanoOrdered || flattensByChannel ? Self.flattened(kernels, outputs: isTheanoOrdered ? 0 : 3) : nil
  }

  /// The kernel as (height, width, inputs, outputs), for correlation.
  ///
  /// - Throws: `TensorError`.
  func upright(_ tensor: Tensor, name: String) throws -> Tensor {
    guard name.hasSuffix(".kernel") else { return tensor }
    if let flattened, flattened.name == name { return try reordered(tensor, channels: flattened.channels) }
    guard tensor.shape.count == 4 else { return tensor }
    var kernel = tensor
    if isTheanoOrdered { kernel = try TensorTransform.permute([2, 3, 1, 0]).apply(kernel) ?? kernel }
    if backend == "theano" { kernel = try TensorTransform.flip([0, 1]).apply(kernel) ?? kernel }
    return kernel
  }

  /// Rows that run over (channels, height, width), as (height, width, channels).
  private func reordered(_ tensor: Tensor, channels: Int) throws -> Tensor {
    let (rows, outputs) = (tensor.shape[0], tensor.shape[1])
    var result = tensor
    for transform: TensorTransform in [
      .reshape([channels, rows / channels, outputs]), .permute([1, 0, 2]), .reshape([rows, outputs]),
    ] {
      result = try transform.apply(result) ?? result
    }
    return result
  }

  /// Windows are square and small, channels many.
  private static func isSurelyTheano(_ shape: [Int]) -> Bool {
    shape[2] == shape[3] && shape[2] < shape[0] && (shape[0] != shape[1] || shape[2] < shape[1])
  }

  private static func isSurelyOurs(_ shape: [Int]) -> Bool {
    shape[0] == shape[1] && shape[0] < shape[3] && (shape[2] != shape[3] || shape[0] < shape[2])
  }

  /// - Parameter outputs: the dimension of a convolution's kernel that counts its outputs.
  private static func flattened(
    _ kernels: [(name: String, tensor: Tensor)], outputs: Int
  ) -> (name: String, channels: Int)? {
    guard let dense = kernels.firstIndex(where: { $0.tensor.shape.count == 2 }), dense > 0,
      kernels[dense - 1].tensor.shape.count == 4
    else { return nil }
    let channels = kernels[dense - 1].tensor.shape[outputs]
    let rows = kernels[dense].tensor.shape[0]
    // As many rows as channels are pooled, not flattened.
    guard channels > 0, rows > channels, rows % channels == 0 else { return nil }
    return (kernels[dense].name, channels)
  }
}
