/// What a layer's variables are called, by the class that its path names.
package struct KerasLayerKind {
  private let kind: Substring

  /// - Parameter path: of the object, such as `/layers/batch_normalization_3`.
  package init(_ path: String) {
    let last = path.split(separator: "/").last ?? ""
    let number = last.lastIndex(of: "_").map { last[last.index(after: $0)...] }
    kind = number.flatMap { Int($0) } != nil ? last[..<(last.lastIndex(of: "_") ?? last.endIndex)] : last
  }

  /// Keras numbers trainable variables first, in the order in which the layer's `build` makes them.
  package func variable(_ number: Int, of count: Int) -> String? {
    let names: [String]
    switch (kind, count) {
    case ("conv1d", _), ("conv2d", _), ("conv3d", _), ("dense", _), ("depthwise_conv2d", _), ("conv2d_transpose", _):
      names = ["kernel", "bias"]
    case ("separable_conv2d", _): names = ["depthwise_kernel", "pointwise_kernel", "bias"]
    case ("batch_normalization", 4...): names = ["gamma", "beta", "moving_mean", "moving_variance"]
    // Without a scale, as in Keras's Inception.
    case ("batch_normalization", 3): names = ["beta", "moving_mean", "moving_variance"]
    case ("batch_normalization", 2): names = ["moving_mean", "moving_variance"]
    case ("layer_normalization", _), ("group_normalization", _): names = ["gamma", "beta"]
    case ("layer_scale", _): names = ["gamma"]
    case ("normalization", _): names = ["mean", "variance", "count"]
    case ("embedding", _): names = ["embeddings"]
    default: return nil
    }
    return number < names.count ? names[number] : nil
  }

  /// The number of a variable by its name; the inverse of ``variable(_:of:)``.
  ///
  /// - Parameter leaves: the names of all the layer's variables.
  package func number(of leaf: String, among leaves: Set<String>) -> Int? {
    (0..<leaves.count).first { variable($0, of: leaves.count) == leaf }
  }
}
