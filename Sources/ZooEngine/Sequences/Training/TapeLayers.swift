import COneDNN
import ZooGraph

/// Linear layers and embeddings.
extension SequenceTape {
  func linear(_ node: Node, _ x: Matrix) throws -> Matrix {
    let weight = try parameter(node.inputs[1], node)
    let y = pool.take(rows: x.rows, columns: program.shapes[node.output.index][1])
    try check(
      zoo_multiply_matrices(
        x.base, 0, weight, program.isTurned(node.inputs[1]) ? 0 : 1, y.base, Int64(y.rows), Int64(y.columns),
        Int64(x.columns), 0), node)
    if node.inputs.count > 2 {
      zoo_add_bias(y.base, try parameter(node.inputs[2], node), Int64(y.rows), Int64(y.columns))
    }
    return y
  }

  func linearBackward(_ node: Node, _ slope: Matrix) throws {
    let isTurned = program.isTurned(node.inputs[1])
    let (rows, outputs) = (Int64(slope.rows), Int64(slope.columns))
    if let to = try gradient(node.inputs[1], node) {
      let x = try value(node.inputs[0], node.name)
      let inputs = Int64(x.columns)
      let status =
        isTurned
        ? zoo_multiply_matrices(x.base, 1, slope.base, 0, to, inputs, outputs, rows, 1)
        : zoo_multiply_matrices(slope.base, 1, x.base, 0, to, outputs, inputs, rows, 1)
      try check(status, node)
    }
    if node.inputs.count > 2, let to = try gradient(node.inputs[2], node) {
      zoo_sum_columns(slope.base, rows, outputs, to)
    }
    guard let to = try slopes(of: node.inputs[0], node) else { return }
    let weight = try parameter(node.inputs[1], node)
    try check(
      zoo_multiply_matrices(slope.base, 0, weight, isTurned ? 1 : 0, to.base, rows, Int64(to.columns), outputs, 1), node
    )
  }

  private func check(_ status: Int32, _ node: Node) throws(EngineError) {
    guard status == 0 else { throw .kernel(node: node.name, problem: "the product failed with status \(status)") }
  }

  func embed(_ node: Node, _ kind: EmbeddingIndex) throws -> Matrix {
    let table = try parameter(node.inputs[1], node)
    let rows = try tableRows(node, kind)
    let y = pool.take(rows: rows.count, columns: program.shapes[node.inputs[1].index][1])
    for (row, index) in rows.enumerated() { y.row(row).update(from: table + index * y.columns, count: y.columns) }
    return y
  }

  func embedBackward(_ node: Node, _ kind: EmbeddingIndex, _ slope: Matrix) throws {
    guard let to = try gradient(node.inputs[1], node) else { return }
    for (row, index) in try tableRows(node, kind).enumerated() {
      let (from, to) = (slope.row(row), to + index * slope.columns)
      for column in 0..<slope.columns { to[column] += from[column] }
    }
  }

  /// For each row of the output the row of the table that it is.
  private func tableRows(_ node: Node, _ kind: EmbeddingIndex) throws -> [Int] {
    try layout(of: node.inputs[0], node).tableRows(
      kind, of: program.shapes[node.inputs[1].index][0], node: node.name)
  }
}
