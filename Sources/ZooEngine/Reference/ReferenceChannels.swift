/// Operations that work on channels or along one axis, as their definitions read.
enum ReferenceChannels {
  /// Each element of [N, C, …] from its channel and its value.
  static func map(_ x: ReferenceValue, _ body: (Int, Double) -> Double) -> [Double] {
    let channels = x.shape[1]
    let inner = x.shape.dropFirst(2).reduce(1, *)
    return x.values.indices.map { body($0 / inner % channels, x.values[$0]) }
  }

  /// x, weight, bias, both of the size of `axis`.
  static func normalize(_ inputs: [ReferenceValue], axis: Int, epsilon: Double) -> [Double] {
    let x = inputs[0]
    let size = x.shape[axis]
    let inner = x.shape.dropFirst(axis + 1).reduce(1, *)
    var result = x.values
    for outer in 0..<x.shape.prefix(axis).reduce(1, *) {
      for place in 0..<inner {
        let indices = (0..<size).map { (outer * size + $0) * inner + place }
        let mean = indices.reduce(0) { $0 + x.values[$1] } / Double(size)
        let variance = indices.reduce(0) { $0 + (x.values[$1] - mean) * (x.values[$1] - mean) } / Double(size)
        for (channel, index) in indices.enumerated() {
          result[index] =
            (x.values[index] - mean) / (variance + epsilon).squareRoot() * inputs[1].values[channel]
            + inputs[2].values[channel]
        }
      }
    }
    return result
  }

  /// x [N, C, H, W], gates [N, C, 1, 1].
  static func gate(_ x: ReferenceValue, by gates: ReferenceValue) -> [Double] {
    let pixels = x.shape[2] * x.shape[3]
    return x.values.indices.map { x.values[$0] * gates.values[$0 / pixels] }
  }

  static func gather(_ parts: [ReferenceValue], _ channels: [Int]) -> [Double] {
    var joined = parts[0].shape
    joined[1] = parts.reduce(0) { $0 + $1.shape[1] }
    let values = concatenate(parts, axis: 1)
    let inner = joined.dropFirst(2).reduce(1, *)
    return (0..<joined[0]).flatMap { picture in
      channels.flatMap { channel in
        let start = (picture * joined[1] + channel) * inner
        return values[start..<start + inner]
      }
    }
  }

  static func concatenate(_ parts: [ReferenceValue], axis: Int) -> [Double] {
    var result: [Double] = []
    for outer in 0..<parts[0].shape.prefix(axis).reduce(1, *) {
      for part in parts {
        let run = part.shape.dropFirst(axis).reduce(1, *)
        result += part.values[outer * run..<(outer + 1) * run]
      }
    }
    return result
  }
}
