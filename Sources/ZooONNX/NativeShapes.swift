import ZooCheckpoint
import ZooFormats
import ZooGraph
import ZooONNXProgram

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
    if resolved == [-1] || resolved == [shape.reduce(1, *)], let x = flowing(node, 0), let output = node.outputs.first {
      see(output, as: .row, x.value)
      return true
    }
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
    see(output, as: .padded([pads[2], pads[3], pads[6], pads[7]]), input.value)
    return true
  }

  mutating func addIdentity(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.outputs.first, let input = seen(node, 0) else { return false }
    see(name, as: input.view, input.value)
    return true
  }

  /// Channels to the end and back: nothing moves, the value is only seen otherwise.
  mutating func addTransposition(_ node: ONNXModel.Node) -> Bool {
    guard let x = seen(node, 0), x.shape.count == 4, let output = node.outputs.first else { return false }
    switch (x.view, node.integers("perm")) {
    case (nil, [0, 2, 3, 1]): see(output, as: .channelsLast, x.value)
    case (.channelsLast, [0, 3, 1, 2]): see(output, as: nil, x.value)
    default: return false
    }
    return true
  }

  /// One channel of a picture, as networks take it that scale each on its own.
  mutating func addChannel(_ node: ONNXModel.Node) -> Bool {
    guard let x = flowing(node, 0), x.shape.count == 4, node.integer("axis", 0) == 1, let output = node.outputs.first,
      let index = constant(node, 1), index.elementCount == 1, let channel = integers(index)?.first,
      (0..<x.shape[1]).contains(channel)
    else { return false }
    see(output, as: .channel(channel, scale: 1, shift: 0), x.value)
    return true
  }

  /// Elements that are taken out of a row in their own order, which is how torch's `as_strided` is exported.
  mutating func addRestoredShape(_ node: ONNXModel.Node) -> Bool {
    guard let x = seen(node, 0), x.view == .row, node.integer("axis", 0) == 0, let output = node.outputs.first,
      let places = constant(node, 1), places.shape == x.shape, places.dtype == .int64,
      places.elementCount <= Self.mostFolded
    else { return false }
    let isInOrder = try? places.withContiguousBytes { bytes in
      (0..<places.elementCount).allSatisfy {
        bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) == Int64($0)
      }
    }
    guard isInOrder == true else { return false }
    see(output, as: nil, x.value)
    return true
  }

  /// The axis that taking one channel took away.
  mutating func addUnsqueeze(_ node: ONNXModel.Node) -> Bool {
    let axes = node.integers("axes") ?? constant(node, 1).flatMap(integers)
    guard let x = seen(node, 0), case .channel? = x.view, axes == [1] || axes == [-3], let output = node.outputs.first
    else { return false }
    see(output, as: x.view, x.value)
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
    if let input = node.inputs.first, let tensor = constant(node, 0), let made = folded(node, tensor) {
      setConstant(made, name, origin: input)
      return true
    }
    guard let made = computed(node) else { return false }
    setConstant(made, name)
    return true
  }

  /// Elements of constants that are worked out ahead: shapes, paddings and bounds, not weights.
  private static let mostFolded = 1 << 16

  /// The output of a node with one output whose inputs are small constants or but asked for their shape.
  private func computed(_ node: ONNXModel.Node) -> Tensor? {
    guard node.outputs.count == 1, !node.inputs.isEmpty else { return nil }
    if node.operatorName == "Shape" {
      let shape = constant(node, 0)?.shape ?? flowing(node, 0)?.shape
      guard let shape else { return nil }
      func place(_ axis: Int) -> Int { min(max(axis < 0 ? axis + shape.count : axis, 0), shape.count) }
      let (start, end) = (place(node.integer("start", 0)), place(node.integer("end", shape.count)))
      let sizes = start < end ? shape[start..<end].map(Int64.init) : []
      return try? Tensor(dtype: .int64, shape: [sizes.count], storage: MemoryStorage(copying: sizes))
    }
    var values: [String: ONNXValue] = [:]
    for (index, input) in node.inputs.enumerated() where !input.isEmpty {
      guard let tensor = constant(node, index), tensor.elementCount <= Self.mostFolded,
        let value = try? ONNXValue(tensor)
      else { return nil }
      values[input] = value
    }
    let limits = ONNXLimits(
      memory: Self.mostFolded * 16, steps: 1000, nodes: 1000, depth: 2, foldedValue: Self.mostFolded)
    let function = ONNXModel.Function(node, opsets: model.opsets)
    guard let program = try? ONNXProgram(function, of: model, limits: limits), let results = try? program.run(values),
      let result = node.outputs.first.flatMap({ results[$0] })
    else { return nil }
    return try? result.tensor()
  }

  private func folded(_ node: ONNXModel.Node, _ tensor: Tensor) -> Tensor? {
    switch node.operatorName {
    case "Identity", "Dropout": return tensor
    // The engine computes in float32 whatever the weights are kept in.
    case "Cast": return node.integer("to", 0) == 1 && tensor.dtype.isFloatingPoint ? tensor : nil
    case "CastLike":
      guard let other = constant(node, 1) else { return tensor.dtype.isFloatingPoint ? tensor : nil }
      return other.dtype == tensor.dtype ? tensor : nil
    case "Unsqueeze":
      guard let axes = node.integers("axes") ?? constant(node, 1).flatMap(integers),
        let shape = unsqueezed(tensor.shape, axes)
      else { return nil }
      return try? TensorTransform.reshape(shape).apply(tensor)
    default: return nil
    }
  }

  private func unsqueezed(_ shape: [Int], _ axes: [Int]) -> [Int]? {
    let rank = shape.count + axes.count
    let places = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    guard places.count == axes.count, places.allSatisfy((0..<rank).contains) else { return nil }
    var rest = shape[...]
    return (0..<rank).map { places.contains($0) ? 1 : rest.popFirst() ?? 1 }
  }

  /// The numbers of a short integer tensor.
  func integers(_ tensor: Tensor) -> [Int]? { integers(tensor, atMost: 64) }

  func integers(_ tensor: Tensor, atMost count: Int) -> [Int]? {
    guard tensor.elementCount <= count, tensor.dtype == .int64 || tensor.dtype == .int32 else { return nil }
    return try? tensor.withContiguousBytes { bytes in
      (0..<tensor.elementCount).map { index in
        tensor.dtype == .int64
          ? Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
          : Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      }
    }
  }
}
