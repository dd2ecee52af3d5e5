import Foundation
import ZooGraph

/// Attention and what stands around it, in ONNX's terms.
extension ONNXGraphWriter {
  /// Returns whether the node was one of these.
  mutating func addTokens(_ node: Node, _ inputs: [String]) throws -> Bool {
    switch node.operation {
    case .attention(let attention): try addAttention(attention, node, inputs)
    case .tokens: try addTokenSequence(node, inputs)
    case .rearrange(let rearrangement): try addRearrangement(rearrangement, node, inputs[0])
    case .channelShift(let exceptions):
      let x = shapes[node.inputs[0].index]
      let kept = (0..<x[1]).map { exceptions.contains($0) ? Float(0) : 1 }
      let mask = try constant(node.name + ".mask", .float32, [x[1]], kept)
      var shift = step("Mul", [inputs[1], mask], node.name)
      if x.count == 4 { shift = try reshaped(shift, [x[1], 1, 1], node) }
      emit("Add", [inputs[0], shift], to: output(of: node))
    case .reshape(let shape):
      let sizes = try constant(node.name + ".shape", .int64, [shape.count], shape.map(Int64.init))
      emit("Reshape", [inputs[0], sizes], to: output(of: node))
    default: return false
    }
    return true
  }

  /// Sizes of 0 stay as they are, one of -1 is found from the others.
  private mutating func reshaped(_ x: String, _ sizes: [Int], _ node: Node) throws -> String {
    let shape = try constant(node.name + ".shape", .int64, [sizes.count], sizes.map(Int64.init))
    return step("Reshape", [x, shape], node.name)
  }

  private mutating func gathered(_ x: String, axis: Int, _ indices: [Int32], shape: [Int], _ node: Node) throws
    -> String
  {
    let places = try constant(node.name + ".places", .int64, shape, indices.map(Int64.init))
    return step("Gather", [x, places], node.name) { $0.attribute("axis", axis) }
  }

  private mutating func transposed(_ x: String, _ order: [Int], _ node: Node) -> String {
    step("Transpose", [x], node.name) { $0.attribute("perm", order) }
  }

  private mutating func addAttention(_ attention: Attention, _ node: Node, _ inputs: [String]) throws {
    let shape = shapes[node.output.index]
    let groups = attention.partition.groups(Array(shape[2...]))
    let (heads, width) = (attention.heads, shape[1] / attention.heads)
    // [N, 3, heads, width, groups, length]
    var parts = try reshaped(inputs[0], [0, 3, heads, width, -1], node)
    parts = try gathered(parts, axis: 4, groups.tokens, shape: [groups.count, groups.length], node)
    var (query, key, value) = ("", "", "")
    for part in 0..<3 {
      let index = try constant(node.name + ".part", .int64, [], [Int64(part)])
      let own = step("Gather", [parts, index], node.name) { $0.attribute("axis", 1) }
      switch part {
      case 0: query = transposed(normal(own, attention, node), [0, 1, 3, 4, 2], node)
      case 1: key = transposed(normal(own, attention, node), [0, 1, 3, 2, 4], node)
      default: value = transposed(own, [0, 1, 3, 4, 2], node)
      }
    }
    var products = step("MatMul", [query, key], node.name)
    products = step("Mul", [products, try scale(attention, node, inputs)], node.name)
    for summand in try summands(attention, groups, node, inputs) {
      products = step("Add", [products, summand], node.name)
    }
    let weights = step("Softmax", [products], node.name) { $0.attribute("axis", -1) }
    let mixed = transposed(step("MatMul", [weights, value], node.name), [0, 1, 4, 2, 3], node)
    var places = [Int32](repeating: 0, count: groups.tokens.count)
    for (place, token) in groups.tokens.enumerated() { places[Int(token)] = Int32(place) }
    let flat = try reshaped(mixed, [0, shape[1], -1], node)
    let ordered = try gathered(flat, axis: 2, places, shape: [places.count], node)
    let sizes = try constant(node.name + ".shape", .int64, [4], [Int64(0)] + shape.dropFirst().map(Int64.init))
    emit("Reshape", [ordered, sizes], to: output(of: node))
  }

  /// Of one length, where cosines are wanted.
  private mutating func normal(_ x: String, _ attention: Attention, _ node: Node) -> String {
    guard attention.isCosine else { return x }
    return step("LpNormalization", [x], node.name) {
      $0.attribute("axis", 2)
      $0.attribute("p", 2)
    }
  }

  /// What products are multiplied by: a number, or [heads, 1, 1, 1].
  private mutating func scale(_ attention: Attention, _ node: Node, _ inputs: [String]) throws -> String {
    guard attention.isCosine, let logarithms = inputs.last else {
      return try constant(node.name + ".scale", .float32, [], [attention.scale])
    }
    let most = try constant(node.name + ".most", .float32, [], [log(Attention.largestCosineScale)])
    let scales = step("Exp", [step("Min", [logarithms, most], node.name)], node.name)
    return try reshaped(scales, [attention.heads, 1, 1, 1], node)
  }

  /// The position bias [heads, 1, length, length], and the mask of shifted windows [groups, length, length].
  private mutating func summands(
    _ attention: Attention, _ groups: AttentionGroups, _ node: Node, _ inputs: [String]
  ) throws -> [String] {
    var result: [String] = []
    let length = groups.length
    if attention.hasPositionBias, let rows = attention.partition.biasRows {
      let bias = try gathered(inputs[1], axis: 0, rows, shape: [length, length], node)
      result.append(
        try reshaped(transposed(bias, [2, 0, 1], node), [attention.heads, 1, length, length], node))
    }
    if let regions = groups.regions {
      let mask = (0..<groups.count).flatMap { group in
        (0..<length).flatMap { query in
          (0..<length).map { key in
            regions[group * length + query] == regions[group * length + key] ? Float(0) : Attention.maskedProduct
          }
        }
      }
      result.append(try constant(node.name + ".mask", .float32, [groups.count, length, length], mask))
    }
    return result
  }

  private mutating func addTokenSequence(_ node: Node, _ inputs: [String]) throws {
    let picture = shapes[node.inputs[0].index]
    let (width, patches) = (picture[1], picture[2] * picture[3])
    let learnt = shapes[node.inputs[2].index][1] - 1
    var positions = inputs[2]
    if let grid = PositionGrid(learnt: learnt, size: Array(picture[2...])), grid.taps > 1 {
      var matrix = [Float](repeating: 0, count: (patches + 1) * (learnt + 1))
      matrix[0] = 1
      for (tap, (place, factor)) in zip(grid.places, grid.factors).enumerated() {
        matrix[(tap / grid.taps + 1) * (learnt + 1) + Int(place) + 1] += factor
      }
      let interpolation = try constant(node.name + ".positions", .float32, [patches + 1, learnt + 1], matrix)
      positions = step("MatMul", [interpolation, positions], node.name)
    }
    let flat = try reshaped(inputs[0], [0, width, -1], node)
    let before = try constant(node.name + ".before", .int64, [6], [Int64(0), 0, 1, 0, 0, 0])
    let after = try constant(node.name + ".after", .int64, [6], [Int64(0), 0, 0, 0, 0, Int64(patches)])
    let classToken = step("Pad", [transposed(inputs[1], [0, 2, 1], node), after], node.name)
    let summands = step("Add", [transposed(positions, [0, 2, 1], node), classToken], node.name)
    let tokens = step("Add", [step("Pad", [flat, before], node.name), summands], node.name)
    let sizes = try constant(node.name + ".shape", .int64, [4], [Int64(0), Int64(width), 1, Int64(patches + 1)])
    emit("Reshape", [tokens, sizes], to: output(of: node))
  }

  private mutating func addRearrangement(_ rearrangement: Rearrangement, _ node: Node, _ x: String) throws {
    let picture = shapes[node.inputs[0].index]
    guard let map = rearrangement.map(node.inputs.map({ shapes[$0.index] })) else { return }
    let pixels = picture[2] * picture[3]
    var flat = try reshaped(x, [0, picture[1], -1], node)
    if map.sources.contains(-1) {
      let after = try constant(node.name + ".zero", .int64, [6], [Int64(0), 0, 0, 0, 0, 1])
      flat = step("Pad", [flat, after], node.name)
    }
    let places = map.sources.map { $0 < 0 ? Int32(pixels) : $0 }
    let parts = try gathered(flat, axis: 2, places, shape: [map.parts, places.count / map.parts], node)
    let ordered = transposed(parts, [0, 2, 1, 3], node)
    let sizes = [Int64(0)] + map.outputShape.dropFirst().map(Int64.init)
    let shape = try constant(node.name + ".shape", .int64, [sizes.count], sizes)
    emit("Reshape", [ordered, shape], to: output(of: node))
  }
}
