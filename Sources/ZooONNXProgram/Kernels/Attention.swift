import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// What transformers are made of, where exporters leave it whole.
  static let attention: [String: Kernel] = [
    "Attention": { try $0.attention() },
    "RotaryEmbedding": { try $0.rotaryEmbedding() },
  ]
}

extension KernelCall {
  /// a · (b's Swish gate): SwiGLU(a, b) = a / (1 + e^(-alpha a)) · b.
  func swishGated() throws -> [ONNXValue] {
    let (a, b) = (try input(0).widened, try input(1).widened)
    let alpha = try float("alpha", 1)
    guard a.shape == b.shape else { throw ONNXProgramError(.shapesDiffer(a.shape, b.shape)) }
    let gate = try real(a, { $0 / (1 + exp(-alpha * $0)) }, { $0 / (1 + exp(-Double(alpha) * $0)) })
    return [try binary(gate, b, Arithmetic.Product.self).cast(to: dtype(of: input(0)))]
  }

  /// [batch, length, heads × size] as [batch, heads, length, size].
  private func heads(_ value: ONNXValue, _ count: Int) throws -> ONNXValue {
    guard value.rank == 3 else { return value }
    guard count > 0, value.shape[2] % count == 0 else {
      throw ONNXProgramError(.size(found: value.shape[2], needed: "a multiple of \(count) heads"))
    }
    let split = value.reshaped([value.shape[0], value.shape[1], count, value.shape[2] / count])
    return try transposed(split, [0, 2, 1, 3])
  }

  private func flattenedHeads(_ value: ONNXValue) throws -> ONNXValue {
    let turned = try transposed(value, [0, 2, 1, 3])
    return turned.reshaped([turned.shape[0], turned.shape[1], turned.shape[2] * turned.shape[3]])
  }

  fileprivate func attention() throws -> [ONNXValue] {
    let dtype = try self.dtype(of: input(0))
    let isFlat = try input(0).rank == 3
    let query = try heads(input(0), integer("q_num_heads", 0))
    var (key, value) = (
      try heads(input(1), integer("kv_num_heads", 0)), try heads(input(2), integer("kv_num_heads", 0))
    )
    guard query.rank == 4, key.rank == 4, value.rank == 4, key.shape[1] > 0, query.shape[1] % key.shape[1] == 0 else {
      throw ONNXProgramError(.shapesDiffer(query.shape, key.shape))
    }
    if let past = optional(4) { key = try joined([past, key], axis: 2) }
    if let past = optional(5) { value = try joined([past, value], axis: 2) }
    let (present, presentValue) = (key, value)
    let repeats = query.shape[1] / key.shape[1]
    if repeats > 1 { (key, value) = (try repeatedHeads(key, repeats), try repeatedHeads(value, repeats)) }

    let size = Double(max(query.shape[3], 1))
    let scale = try step.node.attributes["scale"] == nil ? 1 / size.squareRoot() : Double(float("scale", 1))
    // Both sides take half of the scale, so that half precision overflows in neither.
    func scaled(_ value: ONNXValue) throws -> ONNXValue {
      let root = scale.squareRoot()
      let single = dtype.isHalf ? try ONNXValue(scalar: Float(root)).cast(to: dtype).floats()[0] : Float(root)
      return try real(value, { $0 * single }, { $0 * root })
    }
    let keys = try scaled(key)
    var scores = try matmul(scaled(query), transposed(keys, [0, 1, 3, 2])).widened
    let raw = scores
    let cap = try float("softcap", 0)
    if cap > 0 { scores = try real(scores, { tanh($0 / cap) * cap }, { tanh($0 / Double(cap)) * Double(cap) }) }
    let capped = scores
    let mask = try attentionMask(scores.shape, pastLength: optional(4)?.shape[2])
    if let mask {
      scores = try binary(scores, mask.cast(to: self.dtype(of: scores)), Arithmetic.Sum.self)
    }
    if dtype.isHalf { scores = try scores.cast(to: dtype) }
    let biased = scores
    let precision = try self.dtype("softmax_precision")
    var shares = try softmax(precision.map { try scores.cast(to: $0) } ?? scores.widened, axis: 3, .plain)
    // A query that may see nothing attends to nothing.
    if let mask { shares = try silenced(shares, mask) }
    shares = try shares.cast(to: dtype)
    let result = try matmul(shares, value)
    let scoresOut: ONNXValue
    switch try integer("qk_matmul_output_mode", 0) {
    case 1: scoresOut = capped
    case 2: scoresOut = biased
    case 3: scoresOut = shares
    default: scoresOut = raw
    }
    return [isFlat ? try flattenedHeads(result) : result, present, presentValue, try scoresOut.cast(to: dtype)]
  }

  private func repeatedHeads(_ value: ONNXValue, _ repeats: Int) throws -> ONNXValue {
    let (batch, heads, length, size) = (value.shape[0], value.shape[1], value.shape[2], value.shape[3])
    let wide = try expanded(
      value.reshaped([batch, heads, 1, length, size]), to: [batch, heads, repeats, length, size])
    return wide.reshaped([batch, heads * repeats, length, size])
  }

  /// 0 where a query may see a key, -infinity where not; nil where every one may see all.
  private func attentionMask(_ shape: [Int], pastLength: Int?) throws -> ONNXValue? {
    let (batch, queries, keys) = (shape[0], shape[2], shape[3])
    let valid = try optional(6)?.integers()
    let isCausal = try flag("is_causal", false)
    let (left, right) = (try integer("left_window_size", -1), try integer("right_window_size", -1))
    var mask: ONNXValue?
    if let given = optional(3) {
      var bias = given
      if given.dtype == .bool {
        bias = ONNXValue(shape: given.shape, try given.bools().map { $0 ? Float(0) : -.infinity })
      }
      bias = bias.widened
      if let length = bias.shape.last, length < keys {
        let after = [Int](repeating: 0, count: bias.rank - 1) + [keys - length]
        bias = try padded(
          bias, before: [Int](repeating: 0, count: bias.rank), after: after, filler: ONNXValue(scalar: -Float.infinity))
      }
      mask = bias
    }
    guard isCausal || left >= 0 || right >= 0 || valid != nil else { return mask }
    guard valid.map({ $0.count == batch }) ?? true else {
      throw ONNXProgramError(.count(found: valid?.count ?? 0, needed: batch))
    }
    var own = [Float](repeating: 0, count: try count([batch, queries, keys]))
    for row in 0..<batch {
      let offset = pastLength ?? valid.map { $0[row] - queries } ?? 0
      for query in 0..<queries {
        for key in 0..<keys {
          let distance = query + offset - key
          let isSeen =
            (!isCausal || distance >= 0) && (left < 0 || distance <= left) && (right < 0 || -distance <= right)
            && (valid.map { key < $0[row] } ?? true)
          if !isSeen { own[(row * queries + query) * keys + key] = -.infinity }
        }
      }
    }
    let added = ONNXValue(shape: [batch, 1, queries, keys], own)
    guard let mask else { return added }
    return try binary(mask.cast(to: .float32), added, Arithmetic.Sum.self)
  }

  private func silenced(_ shares: ONNXValue, _ mask: ONNXValue) throws -> ONNXValue {
    let largest = try reduce(mask, .largest, axes: [mask.rank - 1], keeps: true)
    return try combine(shares.doubles(), shares.shape, largest.doubles(), largest.shape) {
      $1 == -.infinity ? 0 : $0
    }.cast(to: dtype(of: shares))
  }

  /// Pairs of numbers turned by angles that grow with the position.
  fileprivate func rotaryEmbedding() throws -> [ONNXValue] {
    let source = try input(0)
    let x = try source.rank == 3 ? heads(source, integer("num_heads", 0)) : source
    guard x.rank == 4 else { throw ONNXProgramError(.rank(found: x.rank, needed: "3 or 4")) }
    let (batch, count, length, size) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let turned = try integer("rotary_embedding_dim", 0) == 0 ? size : try integer("rotary_embedding_dim", 0)
    let half = turned / 2
    guard turned >= 0, turned <= size, half * 2 == turned else {
      throw ONNXProgramError(.size(found: turned, needed: "an even part of \(size)"))
    }
    let (cosines, sines) = (try input(1), try input(2))
    let width = cosines.shape.last ?? 0
    guard cosines.rank > 0, cosines.shape == sines.shape, width == half else {
      throw ONNXProgramError(.shapesDiffer(cosines.shape, sines.shape))
    }
    let rows = try optional(3).map { try indices($0, size: cosines.shape[0]) } ?? Array(0..<(batch * length))
    guard rows.count == batch * length, rows.allSatisfy({ ($0 + 1) * half <= cosines.count }) else {
      throw ONNXProgramError(.count(found: rows.count, needed: batch * length))
    }
    let isInterleaved = try flag("interleaved", false)
    let (c, s) = (try cosines.doubles(), try sines.doubles())
    var values = try x.doubles()
    for n in 0..<batch {
      for head in 0..<count {
        for place in 0..<length {
          let start = ((n * count + head) * length + place) * size, row = rows[n * length + place] * half
          for pair in 0..<half {
            let first = start + (isInterleaved ? 2 * pair : pair), second = isInterleaved ? first + 1 : first + half
            let (a, b) = (values[first], values[second])
            values[first] = c[row + pair] * a - s[row + pair] * b
            values[second] = s[row + pair] * a + c[row + pair] * b
          }
        }
      }
    }
    let result = try ONNXValue(shape: x.shape, values).cast(to: dtype(of: source))
    return [source.rank == 3 ? try flattenedHeads(result) : result]
  }
}
