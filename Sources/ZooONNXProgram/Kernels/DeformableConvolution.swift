import ZooCheckpoint

extension KernelCall {
  /// A convolution whose window's cells each move by an offset of their own, and may weigh less by a mask.
  func deformableConvolution() throws -> [ONNXValue] {
    let (x, weight, offset) = (try input(0), try input(1), try input(2))
    guard x.rank == 4, weight.rank == 4, offset.rank == 4 else {
      throw ONNXProgramError(.rank(found: x.rank, needed: "4"))
    }
    let window = try self.window(Array(x.shape[2...]), kernel: Array(weight.shape[2...]))
    let (groups, offsetGroups) = (try integer("group", 1), try integer("offset_group", 1))
    let (batch, channels, outputs) = (x.shape[0], x.shape[1], weight.shape[0])
    let cells = window.kernel.reduce(1, *), places = window.output.reduce(1, *)
    let mask = try optional(4)?.doubles()
    guard channels > 0, groups >= 1, offsetGroups >= 1, channels % groups == 0, channels % offsetGroups == 0,
      outputs % groups == 0,
      weight.shape[1] == channels / groups, offset.shape == [batch, offsetGroups * cells * 2] + window.output,
      mask.map({ $0.count == batch * offsetGroups * cells * places }) ?? true
    else { throw ONNXProgramError(.shapesDiffer(x.shape, offset.shape)) }
    let (values, moves) = (try x.doubles(), try offset.doubles())
    let (height, width) = (x.shape[2], x.shape[3])
    // Columns as of an ordinary convolution, at the moved places.
    var columns = [Double](repeating: 0, count: try count([batch, channels * cells, places], size: 24))
    for n in 0..<batch {
      for group in 0..<offsetGroups {
        for cell in 0..<cells {
          for place in 0..<places {
            let move = ((n * offsetGroups + group) * cells + cell) * 2
            let top = place / window.output[1] * window.strides[0] - window.before[0]
            let left = place % window.output[1] * window.strides[1] - window.before[1]
            let y = Double(top + cell / window.kernel[1] * window.dilations[0]) + moves[move * places + place]
            let x = Double(left + cell % window.kernel[1] * window.dilations[1]) + moves[(move + 1) * places + place]
            let weight = mask?[((n * offsetGroups + group) * cells + cell) * places + place] ?? 1
            let taps = Self.taps(y, x, height: height, width: width)
            for channel in (group * channels / offsetGroups)..<((group + 1) * channels / offsetGroups) {
              let from = (n * channels + channel) * height * width
              let sum = taps.reduce(0) { $0 + values[from + $1.place] * $1.weight }
              columns[((n * channels + channel) * cells + cell) * places + place] = sum * weight
            }
          }
        }
      }
    }
    let matrix = ONNXValue(shape: [batch, groups, channels / groups * cells, places], columns)
    let weights = try weight.cast(to: .float64).reshaped([1, groups, outputs / groups, channels / groups * cells])
    var result = try matmul(weights, matrix).reshaped([batch, outputs] + window.output)
    if let bias = optional(3) {
      result = try binary(result, bias.cast(to: .float64).reshaped([bias.count, 1, 1]), Arithmetic.Sum.self)
    }
    return [try result.cast(to: dtype(of: x))]
  }

  /// Pixels around a place; those outside the picture count as zeros.
  private static func taps(_ y: Double, _ x: Double, height: Int, width: Int) -> [(place: Int, weight: Double)] {
    guard y > -1, x > -1, y < Double(height), x < Double(width) else { return [] }
    let (top, left) = (y.rounded(.down), x.rounded(.down))
    var taps: [(place: Int, weight: Double)] = []
    for (row, rowWeight) in [(Int(top), 1 - (y - top)), (Int(top) + 1, y - top)] where row >= 0 && row < height {
      for (column, weight) in [(Int(left), 1 - (x - left)), (Int(left) + 1, x - left)]
      where column >= 0 && column < width {
        taps.append((row * width + column, rowWeight * weight))
      }
    }
    return taps
  }
}
