import COneDNN
import Foundation
import ZooCheckpoint
import ZooGraph

/// Steps that work on tokens: attention between them, and making them of pictures.
extension Lowering {
  mutating func lowerAttention(_ node: Node, _ attention: Attention) throws {
    let shape = shapes[node.output.index]
    let source = try blocked(node.inputs[0])
    let target = try output(of: node)
    var constants = try node.inputs.dropFirst().map { try values(of: $0) }
    let factors = attention.isCosine ? constants.popLast().map(attention.cosineScales) : nil
    let table = attention.hasPositionBias ? constants.first : nil
    let number = attention.withKernelDescription(output: shape) { description in
      zoo_network_add_attention(handle, source, target, &description, table, factors)
    }
    try step(node.name, number, reads: [source], writes: target)
  }

  mutating func lowerTokens(_ node: Node) throws {
    let picture = shapes[node.inputs[0].index]
    let source = try blocked(node.inputs[0])
    let target = try output(of: node)
    let summands = try tokenSummands(node, picture: picture)
    let sources = (0...picture[2] * picture[3]).map { Int32($0) - 1 }
    try step(
      node.name, zoo_network_add_pixel_map(handle, source, target, 1, sources, summands), reads: [source],
      writes: target)
  }

  /// What each token gets beside its patch, [tokens, D].
  private func tokenSummands(_ node: Node, picture: [Int]) throws -> [Float] {
    let (classToken, positions) = (try values(of: node.inputs[1]), try values(of: node.inputs[2]))
    let width = picture[1]
    guard let grid = PositionGrid(learnt: positions.count / width - 1, size: Array(picture[2...])) else {
      throw EngineError.unsupported(node: node.name, problem: "positions don't fit the picture")
    }
    var result = (0..<width).map { classToken[$0] + positions[$0] }
    for patch in 0..<picture[2] * picture[3] {
      for channel in 0..<width {
        var sum = 0.0
        for tap in patch * grid.taps..<(patch + 1) * grid.taps {
          sum += Double(grid.factors[tap]) * Double(positions[(Int(grid.places[tap]) + 1) * width + channel])
        }
        result.append(Float(sum))
      }
    }
    return result
  }

  mutating func lowerRearrangement(_ node: Node, _ rearrangement: Rearrangement) throws {
    guard let map = rearrangement.map(node.inputs.map { shapes[$0.index] }) else {
      throw EngineError.unsupported(node: node.name, problem: "doesn't fit its input")
    }
    let source = try blocked(node.inputs[0])
    let target = try output(of: node)
    try step(
      node.name, zoo_network_add_pixel_map(handle, source, target, Int64(map.parts), map.sources, nil),
      reads: [source], writes: target)
  }
}

extension Attention {
  /// What cosines are multiplied by, from the learnt logarithms.
  func cosineScales(_ logarithms: [Float]) -> [Float] {
    logarithms.map { Float(min(exp(Double($0)), Double(Self.largestCosineScale))) }
  }

  /// The description that kernels take, for an output [N, heads · width, H, W]; valid inside `body` alone.
  func withKernelDescription<R>(
    output shape: [Int], _ body: (inout zoo_attention) throws -> R
  ) rethrows -> R {
    let groups = partition.groups(Array(shape[2...]))
    let rows = hasPositionBias ? partition.biasRows ?? [] : []
    return try groups.tokens.withUnsafeBufferPointer { tokens in
      try (groups.regions ?? []).withUnsafeBufferPointer { regions in
        try rows.withUnsafeBufferPointer { rows in
          var description = zoo_attention(
            heads: Int64(heads), width: Int64(shape[1] / heads), groups: Int64(groups.count),
            length: Int64(groups.length), tokens: tokens.baseAddress,
            regions: groups.regions == nil ? nil : regions.baseAddress,
            bias_rows: hasPositionBias ? rows.baseAddress : nil, table_rows: Int64(partition.biasTableRows),
            scale: scale, masked_product: Self.maskedProduct, is_cosine: isCosine ? 1 : 0,
            largest_scale: Self.largestCosineScale)
          return try body(&description)
        }
      }
    }
  }
}
