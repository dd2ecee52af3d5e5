extension Graph {
  /// Multiply-adds of one forward pass over an input of the given shape.
  ///
  /// Counts convolutions, linear layers without biases, and the two products of attention, as torchvision's published
  /// GFLOPs do; of a sequence all products, also those that a causal mask hides.
  /// - Throws: ``GraphError``.
  public func multiplyAdds(input shape: [Int]) throws(GraphError) -> Double {
    let shapes = try inferShapes(input: shape)
    return nodes.reduce(0) { $0 + $1.multiplyAdds(shapes) }
  }
}

extension Node {
  /// Whether it multiplies by a weight: a convolution or a linear layer.
  var isLayer: Bool {
    switch operation {
    case .convolution, .linear: true
    default: false
    }
  }

  /// - Parameter shapes: of every value of the graph.
  func multiplyAdds(_ shapes: [[Int]]) -> Double {
    if case .attention(let attention) = operation { return attention.multiplyAdds(output: shapes[output.index]) }
    if case .sequence(.attention) = operation {
      // Each query's channels with each key, then with each value.
      let keys = shapes[inputs[1].index].first ?? 0
      return shapes[output.index].reduce(2 * Double(keys)) { $0 * Double($1) }
    }
    guard isLayer else { return 0 }
    // Each output takes one product a weight of its filter.
    let sizes = shapes[output.index] + shapes[inputs[1].index].dropFirst()
    return sizes.reduce(1) { $0 * Double($1) }
  }
}

extension Attention {
  /// Queries times keys, then weights times values: each token's channels with each token of its group.
  fileprivate func multiplyAdds(output shape: [Int]) -> Double {
    guard shape.count == 4 else { return 0 }
    let length = partition.window.map { $0.reduce(1, *) } ?? shape[2] * shape[3]
    return shape.reduce(2 * Double(length)) { $0 * Double($1) }
  }
}
