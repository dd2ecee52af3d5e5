import ZooCheckpoint
import ZooFormats
import ZooGraph

/// Operators with weights, and what stands between them.
extension NativeImporter {
  mutating func addConvolution(_ node: ONNXModel.Node) -> Bool {
    guard let name = node.inputs.first, let input = padded(name), input.shape.count == 4,
      let weight = constant(node, 1), weight.shape.count == 4, let own = node.padding(windows: 2),
      let padding = own.widened(by: input.padding)
    else { return false }
    var operands = [input.value, parameter(node.inputs[1], weight)]
    if has(node, 2) {
      guard let bias = constant(node, 2), bias.shape == [weight.shape[0]] else { return false }
      operands.append(parameter(node.inputs[2], bias))
    }
    let convolution = Convolution(
      stride: node.integers("strides") ?? [1, 1], padding: padding, dilation: node.integers("dilations") ?? [1, 1],
      groups: node.integer("group", 1), hasBias: operands.count == 3)
    guard isWindow(convolution.stride), isWindow(convolution.dilation), isWindow(Array(weight.shape[2...])),
      (1...65_536).contains(convolution.groups), weight.shape[0] % convolution.groups == 0
    else { return false }
    return emit(.convolution(convolution), operands, node)
  }

  /// Two sizes that no arithmetic overflows with.
  private func isWindow(_ sizes: [Int]) -> Bool { sizes.count == 2 && sizes.allSatisfy { (1...4096).contains($0) } }

  mutating func addBatchNormalization(_ node: ONNXModel.Node) -> Bool {
    let operands = (1..<5).compactMap { constant(node, $0) }
    // With training_mode the file was exported to go on training; its running statistics are those to use here.
    guard operands.count == 4, node.integer("spatial", 1) == 1 else { return false }
    let values = operands.enumerated().map { index, tensor in
      parameter(node.inputs[index + 1], tensor, isBuffer: index > 1)
    }
    return emit(
      .batchNormalization(epsilon: node.float("epsilon", 1e-5), momentum: 1 - node.float("momentum", 0.9)), [0], node,
      parameters: values)
  }

  mutating func addLinear(_ node: ONNXModel.Node) -> Bool {
    guard shape(node, 0)?.count == 2, node.float("alpha", 1) == 1, node.float("beta", 1) == 1,
      node.integer("transA", 0) == 0, let weight = matrix(node, isTransposed: node.integer("transB", 0) == 0)
    else { return false }
    guard has(node, 2) else {
      return emit(.linear(hasBias: false, epilogue: []), [0], node, parameters: [weight.value])
    }
    guard let bias = constant(node, 2), bias.shape == [weight.outputs] else { return false }
    return emit(
      .linear(hasBias: true, epilogue: []), [0], node, parameters: [weight.value, parameter(node.inputs[2], bias)])
  }

  /// A product with a constant matrix [inputs, outputs]; the sum that may follow it is its bias.
  mutating func addProduct(_ node: ONNXModel.Node) -> Bool {
    guard shape(node, 0)?.count == 2, let weight = matrix(node, isTransposed: true) else { return false }
    return emit(.linear(hasBias: false, epilogue: []), [0], node, parameters: [weight.value])
  }

  private mutating func matrix(_ node: ONNXModel.Node, isTransposed: Bool) -> (value: ValueID, outputs: Int)? {
    guard let weight = constant(node, 1), weight.shape.count == 2,
      let turned = isTransposed ? try? TensorTransform.transpose.apply(weight) : weight
    else { return nil }
    return (parameter(node.inputs[1], turned, isTransposed: isTransposed), turned.shape[0])
  }

  mutating func addClip(_ node: ONNXModel.Node) -> Bool {
    var bounds = [node.float("min", -.infinity), node.float("max", .infinity)]
    for index in 1...2 where has(node, index) {
      guard let limit = constant(node, index), limit.elementCount == 1, let value = try? limit.floats().first else {
        return false
      }
      bounds[index - 1] = value
    }
    if bounds == [0, 6] { return emit(.activation(.relu6), [0], node) }
    return bounds == [0, .infinity] && emit(.activation(.relu), [0], node)
  }

  /// x · sigmoid(x), which has no operator of its own.
  mutating func addSwish(_ node: ONNXModel.Node) -> Bool {
    guard let a = flowing(node, 0), let b = flowing(node, 1) else { return false }
    for (x, gate) in [(a, b), (b, a)] {
      guard let index = producer(of: gate.value), case .activation(.sigmoid) = graph.nodes[index].operation,
        graph.nodes[index].inputs == [x.value]
      else { continue }
      return emit(.activation(.silu), [x.value], node)
    }
    return false
  }

  mutating func addPool(_ node: ONNXModel.Node) -> Bool {
    guard let kernel = node.integers("kernel_shape"), kernel.count == 2, let padding = node.padding(windows: 2),
      (node.integers("dilations") ?? [1, 1]) == [1, 1], node.outputs.count == 1, node.integer("storage_order", 0) == 0
    else { return false }
    let pooling = Pooling(
      kernel: kernel, stride: node.integers("strides") ?? [1, 1], padding: padding,
      ceilMode: node.integer("ceil_mode", 0) == 1, countIncludePad: node.integer("count_include_pad", 0) == 1)
    guard isWindow(kernel), isWindow(pooling.stride) else { return false }
    if node.operatorName == "MaxPool" { return emit(.maxPool(pooling), [0], node) }
    // A window of one cell is how exporters write a pooling that does nothing.
    if kernel == [1, 1], pooling.stride == [1, 1] { return addIdentity(node) }
    return emit(.averagePool(pooling), [0], node)
  }

  /// A mean over both spatial axes; without `keepdims` it flattens too.
  mutating func addMean(_ node: ONNXModel.Node) -> Bool {
    let axes = node.integers("axes") ?? constant(node, 1).flatMap(integers)
    guard shape(node, 0)?.count == 4, let axes, Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3],
      emit(.adaptiveAveragePool(height: 1, width: 1), [0], node)
    else { return false }
    guard node.integer("keepdims", 1) == 0, let pooled = padded(node.outputs[0]) else { return true }
    return emit(.flatten, [pooled.value], node)
  }

  mutating func addSum(_ node: ONNXModel.Node) -> Bool {
    for (x, bias) in [(0, 1), (1, 0)] {
      guard let tensor = constant(node, bias), let value = flowing(node, x)?.value else { continue }
      return addBias(node.inputs[bias], tensor, to: value, node)
    }
    guard let a = shape(node, 0), let b = shape(node, 1), a == b else { return false }
    return emit(.add, [0, 1], node)
  }

  mutating func addSoftmax(_ node: ONNXModel.Node) -> Bool {
    guard shape(node, 0)?.count == 2, [1, -1].contains(node.integer("axis", -1)), emit(.softmax, [0], node) else {
      return false
    }
    endsInSoftmax = true
    return true
  }
}

extension Padding {
  /// The same with zeros around the input first; nil where that can't be said.
  fileprivate func widened(by cells: [Int]) -> Padding? {
    if cells == [0, 0, 0, 0] { return self }
    guard case .explicit(let top, let left, let bottom, let right) = self else { return nil }
    return .explicit(
      top: top + cells[0], left: left + cells[1], bottom: bottom + cells[2], right: right + cells[3])
  }
}
