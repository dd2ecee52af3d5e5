import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Windows that slide over pictures, sounds and volumes.
  static let windows: [String: Kernel] = [
    "Conv": { try $0.convolution() },
    "ConvTranspose": { try $0.transposedConvolution() },
    "Col2Im": { try $0.columnsToImage() },
    "DeformConv": { try $0.deformableConvolution() },
    "CausalConvWithState": { try $0.causalConvolution() },
    "MaxPool": { try $0.maxPool() },
    "AveragePool": { try $0.averagePool() },
    "LpPool": { try $0.powerPool() },
    "MaxUnpool": { try $0.maxUnpool() },
    "GlobalAveragePool": { try $0.globalPool(.mean) },
    "GlobalMaxPool": { try $0.globalPool(.largest) },
    "GlobalLpPool": { try $0.globalPowerPool() },
  ]
}

extension KernelCall {
  fileprivate func convolution() throws -> [ONNXValue] {
    let (x, weight) = (try input(0), try input(1))
    let dtype = try self.dtype(of: x)
    return [
      try convolve(
        x, weight, bias: optional(2), isConstant: isConstant(1), isBiasConstant: isConstant(2)
      ).cast(to: dtype)
    ]
  }

  /// - Returns: float32 for float32 and half precision, else float64.
  func convolve(
    _ x: ONNXValue, _ weight: ONNXValue, bias: ONNXValue? = nil, isConstant: Bool = false, isBiasConstant: Bool = false
  ) throws -> ONNXValue {
    let (batch, channels, spatial) = try pictures(x)
    let groups = try integer("group", 1)
    guard weight.rank == x.rank, groups >= 1, channels % groups == 0, weight.shape[1] == channels / groups,
      weight.shape[0] % groups == 0, weight.shape[0] > 0
    else { throw ONNXProgramError(.shapesDiffer(x.shape, weight.shape)) }
    let window = try self.window(spatial, kernel: Array(weight.shape[2...]))
    let shape = [batch, weight.shape[0]] + window.output
    let count = try self.count(shape)
    guard bias.map({ $0.shape == [weight.shape[0]] }) ?? true else {
      throw ONNXProgramError(.shapesDiffer(weight.shape, bias?.shape ?? []))
    }
    guard x.dtype == .float32 || x.dtype?.isHalf == true else {
      return try plainConvolution(x, weight, bias: bias?.doubles(), groups: groups, window: window, shape: shape)
    }
    if count == 0 || channels == 0 {
      return try biased(ONNXValue(shape: shape, [Float](repeating: 0, count: count)), bias)
    }
    let packsBias = bias != nil && isBiasConstant
    let weights = isConstant ? nil : try weight.floats()
    let prepared = try self.prepared([x.shape, weight.shape, packsBias ? [1] : []]) { shapes in
      try kernels.convolution(
        x: x.shape, weight: weight.shape, y: shape, groups: groups, window: window,
        weights: isConstant ? weight.floats() : nil, bias: packsBias ? bias?.floats() : nil, shapes: shapes)
    }
    let result = ONNXValue(shape: shape, try kernels.run(prepared, x.floats(), weights, count: count))
    return packsBias ? result : try biased(result, bias)
  }

  private func biased(_ value: ONNXValue, _ bias: ONNXValue?) throws -> ONNXValue {
    guard let bias else { return value }
    let column = bias.widened.reshaped([bias.count] + [Int](repeating: 1, count: value.rank - 2))
    return try binary(value, column.cast(to: dtype(of: value)), Arithmetic.Sum.self)
  }

  /// In double precision, which integers of 8 bits don't leave either.
  private func plainConvolution(
    _ x: ONNXValue, _ weight: ONNXValue, bias: [Double]?, groups: Int, window: SpatialWindow, shape: [Int]
  ) throws -> ONNXValue {
    let (source, weights) = (try x.doubles(), try weight.doubles())
    let full = window.overThreeAxes
    let sizes = [Int](repeating: 1, count: 5 - x.rank) + x.shape[2...]
    let taps = (0..<3).map { full.taps($0, size: sizes[$0]) }
    let (inputs, outputs) = (weight.shape[1], weight.shape[0])
    let kernelSize = full.kernel.reduce(1, *), planeSize = sizes.reduce(1, *), channels = x.shape[1]
    var result = [Double](repeating: 0, count: try count(shape))
    var place = 0
    for n in 0..<x.shape[0] {
      for output in 0..<outputs {
        let first = output / (outputs / groups) * inputs
        for depth in taps[0] {
          for row in taps[1] {
            for column in taps[2] {
              var sum = bias?[output] ?? 0
              for channel in 0..<inputs {
                let plane = (n * channels + first + channel) * planeSize
                let cells = (output * inputs + channel) * kernelSize
                for d in depth {
                  for h in row {
                    let from = plane + (d.place * sizes[1] + h.place) * sizes[2]
                    let cell = cells + (d.cell * full.kernel[1] + h.cell) * full.kernel[2]
                    for w in column { sum += source[from + w.place] * weights[cell + w.cell] }
                  }
                }
              }
              result[place] = sum
              place += 1
            }
          }
        }
      }
    }
    return ONNXValue(shape: shape, result)
  }

  // MARK: the other way

  fileprivate func transposedConvolution() throws -> [ONNXValue] {
    let (x, weight) = (try input(0), try input(1))
    let dtype = try self.dtype(of: x)
    let (batch, channels, spatial) = try pictures(x)
    let groups = try integer("group", 1)
    guard weight.rank == x.rank, groups >= 1, channels % groups == 0, weight.shape[0] == channels, channels > 0 else {
      throw ONNXProgramError(.shapesDiffer(x.shape, weight.shape))
    }
    let window = try transposedWindow(spatial, kernel: Array(weight.shape[2...]))
    let outputs = weight.shape[1], cells = window.kernel.reduce(1, *)
    let turned = try transposed(
      weight.widened.reshaped([1, groups, channels / groups, outputs * cells]), [0, 1, 3, 2])
    let columns = try matmul(
      turned, x.widened.reshaped([batch, groups, channels / groups, spatial.reduce(1, *)]))
    var sliding = window
    sliding.output = spatial
    let shape = [batch, groups * outputs] + window.output
    let image = try scattered(
      columns, window: sliding, planes: batch * groups * outputs, image: window.output, shape: shape)
    return [try biased(image.cast(to: dtype), optional(2))]
  }

  /// The window whose output is the picture that grows.
  private func transposedWindow(_ spatial: [Int], kernel: [Int]) throws -> SpatialWindow {
    var window = try windowAttributes(spatial.count, kernel: kernel)
    let extra = try integers("output_padding") ?? [Int](repeating: 0, count: spatial.count)
    let wanted = try integers("output_shape").map { Array($0.suffix(spatial.count)) }
    let mode = try string("auto_pad", "NOTSET")
    guard extra.count == spatial.count, extra.allSatisfy({ (0...largestPadding).contains($0) }),
      wanted.map({ $0.count == spatial.count && $0.allSatisfy { (0...ONNXValue.largestCount).contains($0) } }) ?? true
    else { throw ONNXProgramError(.badAttribute("output_padding", found: "\(extra.prefix(8))")) }
    for axis in spatial.indices {
      let full = window.strides[axis] * (spatial[axis] - 1) + extra[axis] + window.extent(axis)
      let size: Int? = wanted?[axis] ?? (mode.hasPrefix("SAME") ? spatial[axis] * window.strides[axis] : nil)
      if let size {
        let total = max(0, full - size)
        window.before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        window.after[axis] = total - window.before[axis]
        window.output.append(size)
      } else {
        if mode == "VALID" { (window.before[axis], window.after[axis]) = (0, 0) }
        window.output.append(max(0, full - window.before[axis] - window.after[axis]))
      }
    }
    return window
  }

  private var largestPadding: Int { 1 << 20 }

  fileprivate func columnsToImage() throws -> [ONNXValue] {
    let value = try input(0)
    let (image, block) = (try input(1).integers(), try input(2).integers())
    guard value.rank == 3, image.count == block.count, image.allSatisfy({ (0...1 << 40).contains($0) }) else {
      throw ONNXProgramError(.rank(found: value.rank, needed: "3"))
    }
    let window = try self.window(image, kernel: block)
    let cells = block.reduce(1, *)
    guard value.shape[1] % cells == 0, value.shape[2] == window.output.reduce(1, *) else {
      throw ONNXProgramError(.shapesDiffer(value.shape, window.output))
    }
    let channels = value.shape[1] / cells
    let result = try scattered(
      value.widened, window: window, planes: value.shape[0] * channels, image: image,
      shape: [value.shape[0], channels] + image)
    return [try result.cast(to: dtype(of: value))]
  }

  /// Adds columns [planes, cells of the window, places of the window] into pictures.
  private func scattered(
    _ columns: ONNXValue, window: SpatialWindow, planes: Int, image: [Int], shape: [Int]
  ) throws -> ONNXValue {
    let full = window.overThreeAxes
    let sizes = [Int](repeating: 1, count: 3 - image.count) + image
    let scattering = Scattering(
      window: full, taps: (0..<3).map { full.taps($0, size: sizes[$0]) }, sizes: sizes, planes: planes,
      count: try count(shape))
    guard let result = try Elements.acceptNumbers([columns.elements], scattering) else {
      throw ONNXProgramError(.dtype(found: columns.dtype, needed: "numbers"))
    }
    return ONNXValue(shape: shape, result)
  }

  /// A convolution of a sequence that sees no future, and keeps the end of the sequence for the next call.
  fileprivate func causalConvolution() throws -> [ONNXValue] {
    let (x, weight) = (try input(0), try input(1))
    guard x.rank == 3, weight.rank == 3 else { throw ONNXProgramError(.rank(found: x.rank, needed: "3")) }
    let dtype = try self.dtype(of: x)
    let (batch, channels, past) = (x.shape[0], x.shape[1], weight.shape[2] - 1)
    guard weight.shape[0] == channels, weight.shape[1] == 1, past >= 0 else {
      throw ONNXProgramError(.shapesDiffer(x.shape, weight.shape))
    }
    let state =
      try optional(3)
      ?? ONNXValue(
        shape: [batch, channels, past], [Float](repeating: 0, count: count([batch, channels, past]))
      ).cast(to: dtype)
    let full = try joined([state, x], axis: 2)
    let taps = past + 1, length = x.shape[2]
    let (source, weights, bias) = (try full.doubles(), try weight.doubles(), try optional(2)?.doubles())
    let silu = ["silu", "swish"].contains(try string("activation", "none"))
    var result = [Double](repeating: 0, count: try count(x.shape))
    for row in 0..<(batch * channels) {
      let channel = row % channels
      for place in 0..<length {
        var sum = bias?[channel] ?? 0
        for tap in 0..<taps { sum += source[row * (past + length) + place + tap] * weights[channel * taps + tap] }
        result[row * length + place] = silu ? sum / (1 + exp(-sum)) : sum
      }
    }
    return [
      try ONNXValue(shape: x.shape, result).cast(to: dtype),
      try part(full, axis: 2, start: length, size: past),
    ]
  }
}

/// The sum of overlapping windows.
private struct Scattering: NumberVisitor {
  let window: SpatialWindow
  let taps: [[[(cell: Int, place: Int)]]]
  let sizes: [Int]
  let planes: Int
  let count: Int

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    var image = [T](repeating: .zero, count: count)
    let (cells, places) = (window.kernel.reduce(1, *), window.output.reduce(1, *))
    let planeSize = sizes.reduce(1, *)
    for plane in 0..<planes {
      var position = 0
      for depth in taps[0] {
        for row in taps[1] {
          for column in taps[2] {
            for d in depth {
              for h in row {
                let target = plane * planeSize + (d.place * sizes[1] + h.place) * sizes[2]
                let cell = (d.cell * window.kernel[1] + h.cell) * window.kernel[2]
                for w in column {
                  let source = (plane * cells + cell + w.cell) * places + position
                  image[target + w.place] = .sum(image[target + w.place], arrays[0][source])
                }
              }
            }
            position += 1
          }
        }
      }
    }
    return T.wrap(image)
  }
}
