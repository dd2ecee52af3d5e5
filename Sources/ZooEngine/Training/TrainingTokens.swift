import COneDNN
import ZooGraph

/// Layers that work on tokens.
extension TrainingProgram {
  func addAttention(_ attention: Attention, _ node: Node, _ x: Int32, _ y: Int32) throws {
    let values = try node.inputs.dropFirst().map { try parameterTensor($0, node) }
    let table = attention.hasPositionBias ? values.first : nil
    let logarithms = attention.isCosine ? values.last : nil
    let status = attention.withKernelDescription(output: shapes[node.output.index]) { description in
      zoo_trainer_add_attention(handle, x, y, &description, table ?? -1, logarithms ?? -1)
    }
    try check(status, node.name)
  }

  func addTokens(_ node: Node, _ x: Int32, _ y: Int32) throws {
    let picture = shapes[node.inputs[0].index]
    let learnt = shapes[node.inputs[2].index][1] - 1
    guard let grid = PositionGrid(learnt: learnt, size: Array(picture[2...])) else {
      throw EngineError.unsupported(node: node.name, problem: "positions don't fit the picture")
    }
    let classToken = try parameterTensor(node.inputs[1], node, columns: picture[1])
    let positions = try parameterTensor(node.inputs[2], node, columns: picture[1])
    try check(
      zoo_trainer_add_tokens(
        handle, x, y, classToken, positions, Int64(grid.taps), grid.places, grid.factors), node.name)
  }

  func addRearrangement(_ rearrangement: Rearrangement, _ node: Node, _ x: Int32, _ y: Int32) throws {
    guard let map = rearrangement.map(node.inputs.map { shapes[$0.index] }) else {
      throw EngineError.unsupported(node: node.name, problem: "doesn't fit its input")
    }
    try check(zoo_trainer_add_pixel_map(handle, x, y, Int64(map.parts), map.sources), node.name)
  }

  /// Padding and cropping that change nothing: the output is the input. Returns whether the node is one of them.
  func addIdleRearrangement(_ node: Node, _ x: Int32) throws -> Bool {
    let operands = node.inputs.map { shapes[$0.index] }
    guard case .rearrange(let rearrangement) = node.operation,
      rearrangement.map(operands)?.isIdentity(of: operands[0]) == true
    else { return false }
    tensors[node.output] = x
    if wantsGradient.contains(node.inputs[0]) { wantsGradient.insert(node.output) }
    return true
  }

  /// A parameter under another shape: a matrix. Returns whether the node is one.
  func addReshape(_ node: Node) throws -> Bool {
    guard case .reshape(let shape) = node.operation, shape.count == 2 else { return false }
    let value = node.inputs[0]
    tensors[node.output] = try parameterTensor(value, node, columns: shape[1])
    if trains(value) != 0 { wantsGradient.insert(node.output) }
    return true
  }

  /// A parameter or a buffer as a matrix of `columns` columns, by default those of its shape; what a node has made is it
  /// already.
  private func parameterTensor(_ value: ValueID, _ node: Node, columns: Int? = nil) throws -> Int32 {
    guard let name = names[value] else { return try tensor(value) }
    let count = shapes[value.index].reduce(1, *)
    let columns = columns ?? shapes[value.index].dropFirst().reduce(1, *)
    let parameter = layout.offset(of: name)
    guard let offset = parameter ?? buffers.offset(of: name) else { throw EngineError.missingWeight(name: name) }
    let number = zoo_trainer_add_parameter(
      handle, Int64(count / columns), Int64(columns), Int64(offset), parameter == nil ? 1 : 0, trains(value))
    try check(number, node.name)
    return number
  }
}
