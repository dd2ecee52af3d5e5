import ZooCheckpoint
import ZooFormats
import ZooGraph

/// Operators with weights, and what stands between them.
extension NativeImporter {
  mutating func addConvolution(_ node: ONNXModel.Node) -> Bool {
    guard let input = seen(node, 0), input.shape.count == 4, let weight = constant(node, 1), weight.shape.count == 4,
      let own = node.padding(windows: 2)
    else { return false }
    let hasBias = has(node, 2) && !isFilledIn(node.inputs[2])
    var cells = [0, 0, 0, 0]
    if case .padded(let waiting) = input.view { cells = waiting } else if input.view != nil { return false }
    guard let padding = own.widened(by: cells) else { return false }
    let convolution = Convolution(
      stride: node.integers("strides") ?? [1, 1], padding: padding, dilation: node.integers("dilations") ?? [1, 1],
      groups: node.integer("group", 1), hasBias: hasBias)
    guard isWindow(convolution.stride), isWindow(convolution.dilation), isWindow(Array(weight.shape[2...])),
      (1...65_536).contains(convolution.groups), weight.shape[0] % convolution.groups == 0
    else { return false }
    var operation = ZooGraph.Operation.convolution(convolution)
    var operands = [input.value]
    // A matrix made a kernel of one pixel is a linear layer at each of them.
    if convolution == Convolution(hasBias: convolution.hasBias), let matrix = origin(node.inputs[1]),
      matrix.tensor.shape == Array(weight.shape.prefix(2)), Array(weight.shape.suffix(2)) == [1, 1]
    {
      operation = .linear(hasBias: convolution.hasBias, epilogue: [])
      operands.append(parameter(matrix.name, matrix.tensor))
    } else {
      operands.append(parameter(node.inputs[1], weight))
    }
    if hasBias {
      guard let bias = constant(node, 2), bias.shape == [weight.shape[0]] else { return false }
      operands.append(parameter(node.inputs[2], bias))
    }
    return emit(operation, operands, node)
  }

  /// Whether an operand is zeros that the exporter made up on the way, which the network doesn't have.
  private func isFilledIn(_ name: String) -> Bool {
    guard model.graph.initializers[name] == nil, let made = origin(name), model.graph.initializers[made.name] == nil,
      made.tensor.elementCount <= 1 << 16
    else { return false }
    return (try? made.tensor.floats().allSatisfy { $0 == 0 }) == true
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
    guard let x = seen(node, 0), x.view == (x.shape.count == 2 ? nil : .channelsLast),
      let weight = matrix(node, isTransposed: true)
    else { return false }
    return emit(.linear(hasBias: false, epilogue: []), [x.value, weight.value], node, as: x.view)
  }

  private mutating func matrix(_ node: ONNXModel.Node, isTransposed: Bool) -> (value: ValueID, outputs: Int)? {
    guard let weight = constant(node, 1), weight.shape.count == 2,
      let turned = isTransposed ? try? TensorTransform.transpose.apply(weight) : weight
    else { return nil }
    return (parameter(node.inputs[1], turned, isTransposed: isTransposed), turned.shape[0])
  }

  mutating func addActivation(_ kind: Activation, _ node: ONNXModel.Node) -> Bool {
    guard let x = seen(node, 0), x.view == nil || x.view == .channelsLast else { return false }
    return emit(.activation(kind), [x.value], node, as: x.view)
  }

  mutating func addClip(_ node: ONNXModel.Node) -> Bool {
    var bounds = [node.float("min", -.infinity), node.float("max", .infinity)]
    for index in 1...2 where has(node, index) {
      guard let limit = constant(node, index), limit.elementCount == 1, let value = try? limit.floats().first else {
        return false
      }
      bounds[index - 1] = value
    }
    if bounds == [0, 6] { return addActivation(.relu6, node) }
    return bounds == [0, .infinity] && addActivation(.relu, node)
  }

  /// x · sigmoid(x), which has no operator of its own, or a scale for each channel.
  mutating func addMultiplication(_ node: ONNXModel.Node) -> Bool {
    for (x, scale) in [(0, 1), (1, 0)] {
      if let tensor = constant(node, scale) { return addScale(tensor, node.inputs[scale], node, x) }
    }
    guard let a = seen(node, 0), let b = seen(node, 1), a.view == b.view, a.view == nil || a.view == .channelsLast
    else { return false }
    for (x, gate) in [(a, b), (b, a)] {
      guard let index = producer(of: gate.value), case .activation(.sigmoid) = graph.nodes[index].operation,
        graph.nodes[index].inputs == [x.value]
      else { continue }
      return emit(.activation(.silu), [x.value], node, as: x.view)
    }
    return false
  }

  private mutating func addScale(_ scale: Tensor, _ name: String, _ node: ONNXModel.Node, _ index: Int) -> Bool {
    guard let x = seen(node, index), let output = node.outputs.first else { return false }
    if case .channel(let channel, let first, let shift)? = x.view {
      guard scale.elementCount == 1, let factor = try? scale.floats().first else { return false }
      see(output, as: .channel(channel, scale: first * factor, shift: shift * factor), x.value)
      return true
    }
    guard x.shape.count == 4, let flat = channels(scale, of: x) else { return false }
    return emit(.channelScale, [x.value, parameter(name, flat)], node, as: x.view)
  }

  /// A number for each channel as [C, 1, 1]; nil where it is something else.
  private func channels(_ tensor: Tensor, of x: (value: ValueID, shape: [Int], view: View?)) -> Tensor? {
    let count = x.shape[1]
    let shapes = x.view == .channelsLast ? [[count], [1, 1, 1, count]] : [[count, 1, 1], [1, count, 1, 1]]
    guard x.view == nil || x.view == .channelsLast, shapes.contains(tensor.shape) else { return nil }
    return try? TensorTransform.reshape([count, 1, 1]).apply(tensor)
  }

  mutating func addLayerNormalization(_ node: ONNXModel.Node) -> Bool {
    guard let x = seen(node, 0), node.outputs.count == 1, let weight = constant(node, 1), let bias = constant(node, 2),
      x.view == (x.shape.count == 2 ? nil : .channelsLast), [-1, x.shape.count - 1].contains(node.integer("axis", -1)),
      weight.shape == [x.shape[1]], bias.shape == weight.shape
    else { return false }
    let operands = [x.value, parameter(node.inputs[1], weight), parameter(node.inputs[2], bias)]
    return emit(.layerNormalization(axis: 1, epsilon: node.float("epsilon", 1e-5)), operands, node, as: x.view)
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
    guard node.integer("keepdims", 1) == 0, let pooled = graph.nodes.last?.output else { return true }
    return emit(.flatten, [pooled], node)
  }

  mutating func addSum(_ node: ONNXModel.Node) -> Bool {
    for (x, bias) in [(0, 1), (1, 0)] {
      if let tensor = constant(node, bias) { return addShift(tensor, node.inputs[bias], node, x) }
    }
    guard let a = seen(node, 0), let b = seen(node, 1), a.shape == b.shape, a.view == b.view,
      a.view == nil || a.view == .channelsLast
    else { return false }
    return emit(.add, [a.value, b.value], node, as: a.view)
  }

  private mutating func addShift(_ shift: Tensor, _ name: String, _ node: ONNXModel.Node, _ index: Int) -> Bool {
    guard let x = seen(node, index), let output = node.outputs.first else { return false }
    if case .channel(let channel, let scale, let first)? = x.view {
      guard shift.elementCount == 1, let summand = try? shift.floats().first else { return false }
      see(output, as: .channel(channel, scale: scale, shift: first + summand), x.value)
      return true
    }
    guard x.view == nil || x.view == .channelsLast else { return false }
    if x.shape.count == 2 || x.view == .channelsLast, addBias(name, shift, to: x.value, node) {
      see(output, as: x.view, x.value)
      return true
    }
    // A scale and a shift for each channel.
    guard x.view == nil, x.shape.count == 4, x.shape[1] <= 4096, let flat = channels(shift, of: x), !isRead(x.value),
      let producer = producer(of: x.value), case .channelScale = graph.nodes[producer].operation,
      let source = graph.nodes[producer].inputs.first,
      let scale = graph.parameters.first(where: { $0.value == graph.nodes[producer].inputs[1] })?.name,
      let factors = try? parameters[scale]?.floats(), let summands = try? flat.floats()
    else { return false }
    replace(producer, by: .channelAffine(scale: factors, shift: summands), inputs: [source])
    see(output, as: nil, x.value)
    return true
  }

  mutating func addConcatenation(_ node: ONNXModel.Node) -> Bool {
    let parts = node.inputs.indices.compactMap { seen(node, $0) }
    guard let first = parts.first, parts.count == node.inputs.count, [1, -3].contains(node.integer("axis", 0)),
      first.shape.count == 4
    else { return false }
    if parts.allSatisfy({ $0.view == nil }) { return emit(.concatenate(axis: 1), parts.map(\.value), node) }
    // All channels of one picture, each with its own scale and shift.
    var (scales, shifts) = ([Float](), [Float]())
    for (index, part) in parts.enumerated() {
      guard case .channel(index, let scale, let shift)? = part.view, part.value == first.value else { return false }
      scales.append(scale)
      shifts.append(shift)
    }
    guard scales.count == first.shape[1] else { return false }
    return emit(.channelAffine(scale: scales, shift: shifts), [first.value], node)
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
