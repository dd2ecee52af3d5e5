import ZooCheckpoint
import ZooFormats
import ZooGraph

/// Operators that only give a value another shape, and constants.
extension NativeImporter {
  mutating func addFlatten(_ node: ONNXModel.Node) -> Bool {
    guard let shape = shape(node, 0), [1, 1 - shape.count].contains(node.integer("axis", 1)) else { return false }
    return shape.count == 2 ? addIdentity(node) : emit(.flatten, [0], node)
  }

  /// Only what flattens all but the batch, or changes nothing.
  mutating func addReshape(_ node: ONNXModel.Node) -> Bool {
    guard let shape = shape(node, 0), let wanted = constant(node, 1).flatMap(integers),
      node.integer("allowzero", 0) == 0 || !wanted.contains(0)
    else { return false }
    let resolved = wanted.enumerated().map { $1 == 0 && $0 < shape.count ? shape[$0] : $1 }
    if resolved == shape { return addIdentity(node) }
    guard resolved.count == 2, resolved != [-1, -1] else { return false }
    let rest = shape.dropFirst().reduce(1, *)
    guard [shape[0], -1].contains(resolved[0]), [rest, -1].contains(resolved[1]) else { return false }
    return shape.count == 2 ? addIdentity(node) : emit(.flatten, [0], node)
  }

  mutating func addSqueeze(_ node: ONNXModel.Node) -> Bool {
    let axes = node.integers("axes") ?? constant(node, 1).flatMap(integers)
    guard let shape = shape(node, 0), shape.count == 4, Array(shape[2...]) == [1, 1],
      let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3]
    else { return false }
    return emit(.flatten, [0], node)
  }

  /// Zeros around a picture wait for the convolution that reads them.
  mutating func addPadding(_ node: ONNXModel.Node) -> Bool {
    guard let input = flowing(node, 0), input.shape.count == 4, let output = node.outputs.first,
      node.string("mode", "constant") == "constant", node.float("value", 0) == 0, !has(node, 3),
      let pads = node.integers("pads") ?? constant(node, 1).flatMap(integers), pads.count == 8,
      pads.allSatisfy({ (0...4096).contains($0) }), pads[0] + pads[1] + pads[4] + pads[5] == 0
    else { return false }
    if has(node, 2) {
      guard let fill = constant(node, 2), fill.elementCount == 1, (try? fill.floats().first) == 0 else { return false }
    }
    setPadding([pads[2], pads[3], pads[6], pads[7]], of: output, over: input.value)
    return true
  }

  mutating func addIdentity(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.outputs.first, let input = flowing(node, 0) else { return false }
    alias(name, to: input.value)
    return true
  }

  /// Works out a node whose inputs are all known; true where its output is a constant now.
  mutating func fold(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.outputs.first else { return false }
    if node.operatorName == "Constant" {
      guard case .tensor(let tensor)? = node.value else { return false }
      setConstant(tensor, name)
      return true
    }
    if ["Identity", "Dropout"].contains(node.operatorName), let tensor = constant(node, 0) {
      setConstant(tensor, name)
      return true
    }
    return false
  }

  /// The numbers of a short integer tensor.
  func integers(_ tensor: Tensor) -> [Int]? {
    guard tensor.elementCount <= 64, tensor.dtype == .int64 || tensor.dtype == .int32 else { return nil }
    return try? tensor.withContiguousBytes { bytes in
      (0..<tensor.elementCount).map { index in
        tensor.dtype == .int64
          ? Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
          : Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      }
    }
  }
}
