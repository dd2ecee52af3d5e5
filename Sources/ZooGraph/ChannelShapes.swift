/// Shapes of operations that weigh and reorder channels.
extension Node {
  func gatedShape(_ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
    guard operands.count == 2, operands[1] == [x[0], x[1], 1, 1] else {
      throw .mismatch(node: name, what: "gates", expected: [x[0], x[1], 1, 1], found: operands.last ?? [])
    }
    return x
  }

  func gatheredShape(_ operands: [[Int]], _ channels: [Int]) throws(GraphError) -> [Int] {
    var shape = try concatenatedShape(operands, axis: 1)
    guard !channels.isEmpty, channels.allSatisfy({ (0..<shape[1]).contains($0) }) else {
      throw .mismatch(
        node: name, what: "channels", expected: [0, shape[1]], found: [channels.min() ?? 0, channels.max() ?? 0])
    }
    shape[1] = channels.count
    return shape
  }
}
