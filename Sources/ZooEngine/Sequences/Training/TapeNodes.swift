import COneDNN
import ZooGraph

/// What each operation makes, and what its gradient says of what it read.
extension SequenceTape {
  func forward(_ node: Node, at index: Int) throws -> Matrix {
    if case .sequence(.embedding(let kind)) = node.operation { return try embed(node, kind) }
    let x = try value(node.inputs[0], node.name)
    switch node.operation {
    case .linear: return try linear(node, x)
    case .sequence(.attention(let attention)): return try attend(node, attention)
    case .dropout(let probability):
      guard let seed, probability > 0 else { return x }
      let y = pool.take(rows: x.rows, columns: x.columns)
      zoo_drop(x.base, y.base, Int64(x.count), probability, Self.seed(seed, index), 0)
      return y
    case .gatherChannels(let channels):
      let first = try node.firstChannel(of: channels)
      let y = pool.take(rows: x.rows, columns: channels.count)
      for row in 0..<x.rows { y.row(row).update(from: x.row(row) + first, count: channels.count) }
      return y
    case .sequence(.select(let token)):
      let rows = try rows(of: token, node)
      let y = pool.take(rows: rows.count, columns: x.columns)
      for (place, row) in rows.enumerated() { y.row(place).update(from: x.row(row), count: x.columns) }
      return y
    default: return try pointwise(node, x)
    }
  }

  private func pointwise(_ node: Node, _ x: Matrix) throws -> Matrix {
    let y = pool.take(rows: x.rows, columns: x.columns)
    let (pieces, piece) = (Int64(x.pieces), Int64(MatrixPool.piece))
    switch node.operation {
    case .layerNormalization(1, let epsilon):
      zoo_normalize_rows(
        x.base, Int64(x.columns), y.base, Int64(x.columns), Int64(x.rows), Int64(x.columns),
        try parameter(node.inputs[1], node), try parameter(node.inputs[2], node), epsilon)
    case .sequence(.rootMeanSquareNormalization(let epsilon)):
      zoo_normalize_rows(
        x.base, Int64(x.columns), y.base, Int64(x.columns), Int64(x.rows), Int64(x.columns),
        try parameter(node.inputs[1], node), nil, epsilon)
    case .activation(let kind): zoo_activate_rows(x.base, piece, kind.code, y.base, piece, pieces, piece)
    case .add:
      let other = try value(node.inputs[1], node.name)
      zoo_add_rows(x.base, piece, other.base, piece, y.base, piece, pieces, piece)
    case .sequence(.multiply):
      let other = try value(node.inputs[1], node.name)
      zoo_multiply_rows(x.base, piece, other.base, piece, y.base, piece, pieces, piece)
    case .sequence(.scale(let factor)):
      y.clear()
      zoo_add_scaled(x.base, factor, y.base, Int64(x.count))
    default: throw node.notOfSequences
    }
    return y
  }

  func backward(_ node: Node, at index: Int, _ slope: Matrix) throws {
    let x = node.inputs[0]
    switch node.operation {
    case .sequence(.embedding(let kind)): try embedBackward(node, kind, slope)
    case .linear: try linearBackward(node, slope)
    case .sequence(.attention(let attention)): try attendBackward(node, attention, slope)
    case .layerNormalization(_, let epsilon):
      try normalizeBackward(node, slope, epsilon: epsilon, bias: node.inputs[2])
    case .sequence(.rootMeanSquareNormalization(let epsilon)):
      try normalizeBackward(node, slope, epsilon: epsilon, bias: nil)
    case .activation(let kind):
      guard let to = try slopes(of: x, node) else { return }
      zoo_activate_backward(try value(x, node.name).base, slope.base, to.base, slope.roundedCount, kind.code)
    case .add:
      add(slope, to: x, isLast: false)
      add(slope, to: node.inputs[1], isLast: true)
    case .sequence(.multiply):
      let other = node.inputs[1]
      if let to = try slopes(of: x, node) {
        zoo_add_product(slope.base, try value(other, node.name).base, to.base, Int64(slope.count))
      }
      if let to = try slopes(of: other, node) {
        zoo_add_product(slope.base, try value(x, node.name).base, to.base, Int64(slope.count))
      }
    case .sequence(.scale(let factor)):
      guard let to = try slopes(of: x, node) else { return }
      zoo_add_scaled(slope.base, factor, to.base, Int64(slope.count))
    case .dropout(let probability):
      guard let seed, probability > 0 else { return add(slope, to: x, isLast: true) }
      guard let to = try slopes(of: x, node) else { return }
      zoo_drop(slope.base, to.base, Int64(slope.count), probability, Self.seed(seed, index), 1)
    case .gatherChannels(let channels):
      let first = try node.firstChannel(of: channels)
      guard let to = try slopes(of: x, node) else { return }
      for row in 0..<slope.rows {
        for column in channels.indices { to.row(row)[first + column] += slope.row(row)[column] }
      }
    case .sequence(.select(let token)):
      guard let to = try slopes(of: x, node) else { return }
      for (place, row) in try rows(of: token, node).enumerated() {
        for column in 0..<slope.columns { to.row(row)[column] += slope.row(place)[column] }
      }
    default: throw node.notOfSequences
    }
  }

  private func normalizeBackward(_ node: Node, _ slope: Matrix, epsilon: Float, bias: ValueID?) throws {
    let x = try value(node.inputs[0], node.name)
    let statistics = pool.take(rows: x.rows, columns: 2)
    var gradient = zoo_normalization_gradient()
    gradient.input = UnsafePointer(x.base)
    gradient.slopes = UnsafePointer(slope.base)
    gradient.weight = try parameter(node.inputs[1], node)
    gradient.rows = Int64(x.rows)
    gradient.columns = Int64(x.columns)
    gradient.centers = bias == nil ? 0 : 1
    gradient.epsilon = epsilon
    gradient.input_slopes = try slopes(of: node.inputs[0], node)?.base
    gradient.weight_slopes = try self.gradient(node.inputs[1], node)
    gradient.bias_slopes = try bias.flatMap { try self.gradient($0, node) }
    gradient.statistics = statistics.base
    zoo_normalize_rows_backward(&gradient)
  }

  /// Each dropout of a step drops something else.
  private static func seed(_ seed: UInt64, _ node: Int) -> UInt64 { seed ^ UInt64(node + 1) << 40 }

  private func rows(of token: SequenceToken, _ node: Node) throws(EngineError) -> [Int] {
    let layout = try layout(of: node.inputs[0], node)
    return token == .first ? layout.firsts : layout.lasts
  }
}
