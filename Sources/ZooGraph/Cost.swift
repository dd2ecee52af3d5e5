extension Graph {
  /// Multiply-adds of one forward pass over an input of the given shape.
  ///
  /// Counts convolutions and linear layers only, without biases, as torchvision's published GFLOPs do.
  /// - Throws: ``GraphError``.
  public func multiplyAdds(input shape: [Int]) throws(GraphError) -> Double {
    let shapes = try inferShapes(input: shape)
    return nodes.reduce(0) { total, node in
      switch node.operation {
      case .convolution, .linear:
        let sizes = shapes[node.output.index] + shapes[node.inputs[1].index].dropFirst()
        return total + sizes.reduce(1) { $0 * Double($1) }
      default: return total
      }
    }
  }
}
