/// Shapes of the operations between pictures and tokens.
extension Node {
  func tokenShape(_ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    switch operation {
    case .tokens:
      guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
      guard operands.count == 3, operands[1] == [1, 1, x[1]], operands[2].count == 3, operands[2][1] > 1,
        operands[2] == [1, operands[2][1], x[1]]
      else {
        throw .mismatch(
          node: name, what: "class token and positions", expected: [1, 1, x[1], 1, x[2] * x[3] + 1, x[1]],
          found: operands.dropFirst().flatMap { $0 })
      }
      guard PositionGrid(learnt: operands[2][1] - 1, size: [x[2], x[3]]) != nil else {
        throw .mismatch(
          node: name, what: "positions, which only a square grid has for other pictures",
          expected: [1, x[2] * x[3] + 1, x[1]], found: operands[2])
      }
      return [x[0], x[1], 1, 1 + x[2] * x[3]]
    case .rearrange(let rearrangement):
      guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
      guard let map = rearrangement.map(operands) else {
        throw .mismatch(node: name, what: "a picture for \(rearrangement)", expected: x, found: operands.flatMap { $0 })
      }
      return map.outputShape
    case .channelShift(let exceptions):
      guard x.count >= 2 else { throw .rank(node: name, expected: 4, found: x) }
      guard operands.count == 2, operands[1] == [x[1]], exceptions.lowerBound >= 0, exceptions.upperBound <= x[1] else {
        throw .mismatch(node: name, what: "shift", expected: [x[1]], found: operands.dropFirst().flatMap { $0 })
      }
      return x
    case .reshape(let shape):
      guard shape.reduce(1, *) == x.reduce(1, *) else {
        throw .mismatch(node: name, what: "elements", expected: shape, found: x)
      }
      return shape
    default: throw .undefinedValue(node: name, index: -1)
    }
  }
}

extension GraphBuilder {
  /// A parameter named as it stands, not as a module's.
  public mutating func ownParameter(
    _ name: String, _ shape: [Int], isBuffer: Bool = false, initial: InitialValues? = nil
  ) -> ValueID {
    parameter(fullName(name), shape, isBuffer: isBuffer, initial: initial)
  }

  /// A linear layer whose parameters have names of their own, as `nn.MultiheadAttention`'s projection: weight [outputs,
  /// inputs], bias [outputs].
  public mutating func linear(
    _ name: String, weight: String, bias: String, _ x: ValueID, from inputs: Int, to outputs: Int
  ) -> ValueID {
    let operands = [x, ownParameter(weight, [outputs, inputs]), ownParameter(bias, [outputs])]
    return add(.linear(hasBias: true, epilogue: []), operands, name: name)
  }

  /// - Parameter operands: the fused projection, the position bias table, the scales.
  public mutating func attention(_ attention: Attention, _ operands: [ValueID]) -> ValueID {
    add(.attention(attention), operands, name: "attention")
  }

  /// The position bias table, `relative_position_bias_table`.
  public mutating func positionBiasTable(window: [Int], heads: Int) -> ValueID {
    ownParameter(
      "relative_position_bias_table", [(2 * window[0] - 1) * (2 * window[1] - 1), heads], initial: .table)
  }

  /// The state dict's `relative_position_index`: [length · length], or [length, length] where it isn't flat.
  public mutating func positionIndex(window: [Int], isFlat: Bool) {
    let length = window[0] * window[1]
    graph.indexBuffers.append(
      IndexBuffer(
        name: fullName("relative_position_index"), window: window,
        shape: isFlat ? [length * length] : [length, length]))
  }

  /// Patches [N, D, h, w] as tokens behind a class token, with positions learnt for `patches` of them.
  public mutating func tokens(
    _ x: ValueID, classToken: String, positions: String, width: Int, patches: Int
  ) -> ValueID {
    let operands = [
      x, ownParameter(classToken, [1, 1, width]), ownParameter(positions, [1, patches + 1, width], initial: .table),
    ]
    return add(.tokens, operands, name: "tokens")
  }

  public mutating func rearrange(_ rearrangement: Rearrangement, _ operands: [ValueID], name: String) -> ValueID {
    add(.rearrange(rearrangement), operands, name: name)
  }

  public mutating func reshape(_ parameter: ValueID, to shape: [Int]) -> ValueID {
    add(.reshape(shape), [parameter], name: "reshape")
  }

  /// A learnt summand for each channel, none for those of `exceptions`.
  public mutating func channelShift(
    _ name: String, _ x: ValueID, channels: Int, exceptions: Range<Int>
  ) -> ValueID {
    let shift = ownParameter(name, [channels])
    return add(.channelShift(exceptions: exceptions), [x, shift], name: name)
  }
}
