import COneDNN
import ZooGraph

extension SequenceTape {
  func attend(_ node: Node, _ attention: SequenceAttention) throws -> Matrix {
    let queries = try value(node.inputs[0], node.name)
    let y = pool.take(rows: queries.rows, columns: queries.columns)
    let sequences = try sequences(node, output: y)
    let longest = sequences.map(\.key_count).max() ?? 0
    try withDescription(node, attention, longest: longest) { description in
      let scratch = pool.take(rows: Int(zoo_attend_scratch(&description, longest)), columns: 1)
      zoo_attend(&description, sequences, Int64(sequences.count), scratch.base)
    }
    return y
  }

  func attendBackward(_ node: Node, _ attention: SequenceAttention, _ slope: Matrix) throws {
    // The kernel reads the output's stride alone.
    let forward = try sequences(node, output: slope)
    let longest = forward.map(\.key_count).max() ?? 0
    let queryLayout = try layout(of: node.inputs[0], node)
    let keyLayout = try layout(of: node.inputs[1], node)
    let slopes = try node.inputs[..<3].map { try self.slopes(of: $0, node) }
    let table = attention.positions == nil ? nil : try gradient(node.inputs[3], node)
    try withDescription(node, attention, longest: longest) { description in
      let distances = Int(description.distances) * attention.heads
      let biasSlopes = table.map { _ in pool.take(rows: forward.count, columns: distances) }
      biasSlopes?.clear()
      let gradients = forward.indices.map { index in
        var gradient = zoo_sequence_gradient()
        gradient.forward = forward[index]
        gradient.slopes = UnsafePointer(slope.row(queryLayout.firsts[index]))
        gradient.query_slopes = slopes[0]?.row(queryLayout.firsts[index])
        gradient.key_slopes = slopes[1]?.row(keyLayout.firsts[index])
        gradient.value_slopes = slopes[2]?.row(keyLayout.firsts[index])
        gradient.bias_slopes = biasSlopes?.row(index)
        return gradient
      }
      let scratch = pool.take(rows: Int(zoo_attend_backward_scratch(&description, longest)), columns: 1)
      zoo_attend_backward(&description, gradients, Int64(gradients.count), scratch.base)
      if let positions = attention.positions, let table, let biasSlopes {
        Self.gather(
          biasSlopes, positions, heads: attention.heads, distances: Int(description.distances), reach: Int(longest),
          into: table)
      }
    }
  }

  /// Adds up by bucket what stands by distance.
  private static func gather(
    _ slopes: Matrix, _ positions: RelativePositions, heads: Int, distances: Int, reach: Int,
    into table: UnsafeMutablePointer<Float>
  ) {
    for offset in 1 - reach..<max(reach, 1) {
      let bucket = positions.bucket(of: offset)
      for sequence in 0..<slopes.rows {
        for head in 0..<heads {
          table[bucket * heads + head] += slopes.row(sequence)[head * distances + distances / 2 + offset]
        }
      }
    }
  }

  private func sequences(_ node: Node, output: Matrix) throws -> [zoo_sequence] {
    let (queries, keys) = (try value(node.inputs[0], node.name), try value(node.inputs[1], node.name))
    let values = try value(node.inputs[2], node.name)
    let (queryLayout, keyLayout) = (try layout(of: node.inputs[0], node), try layout(of: node.inputs[1], node))
    return queryLayout.counts.indices.map { index in
      var sequence = zoo_sequence()
      sequence.queries = UnsafePointer(queries.row(queryLayout.firsts[index]))
      sequence.keys = UnsafePointer(keys.row(keyLayout.firsts[index]))
      sequence.values = UnsafePointer(values.row(keyLayout.firsts[index]))
      sequence.output = output.row(queryLayout.firsts[index])
      sequence.query_row = Int64(queries.columns)
      sequence.key_row = Int64(keys.columns)
      sequence.value_row = Int64(values.columns)
      sequence.output_row = Int64(output.columns)
      sequence.query_count = Int64(queryLayout.counts[index])
      sequence.key_count = Int64(keyLayout.counts[index])
      return sequence
    }
  }

  private func withDescription<R>(
    _ node: Node, _ attention: SequenceAttention, longest: Int64, _ body: (inout zoo_sequence_attention) throws -> R
  ) throws -> R {
    var description = zoo_sequence_attention()
    description.heads = Int64(attention.heads)
    description.width = Int64(program.shapes[node.output.index][1] / attention.heads)
    description.scale = attention.scale
    description.is_causal = attention.isCausal ? 1 : 0
    guard let positions = attention.positions else { return try body(&description) }
    let table = Array(
      UnsafeBufferPointer(
        start: try parameter(node.inputs[3], node), count: try program.place(node.inputs[3], node).count))
    let bias = biases.row(
      for: node.inputs[3].index, positions, table: table, heads: attention.heads, longest: Int(longest))
    return try bias.values.withUnsafeBufferPointer { numbers in
      description.bias = numbers.baseAddress
      description.distances = Int64(bias.distances)
      return try body(&description)
    }
  }
}
