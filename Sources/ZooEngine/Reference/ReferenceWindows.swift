import ZooGraph

/// Operations that slide a window over [N, C, H, W], as PyTorch's documentation defines them.
enum ReferenceWindows {
  /// x, weight [O, C / groups, kH, kW], bias [O].
  static func convolve(
    _ x: ReferenceValue, _ inputs: [ReferenceValue], _ convolution: Convolution, shape: [Int], node: String
  ) throws -> [Double] {
    let weight = inputs[1]
    let kernel = Array(weight.shape[2...])
    let (channels, outputs) = (weight.shape[1], weight.shape[0])
    let axes = try axes(
      convolution.padding, x, kernel: kernel, stride: convolution.stride, dilation: convolution.dilation, node: node)
    return fill(shape) { n, output, y, column in
      let group = output / (outputs / convolution.groups)
      var sum = convolution.hasBias ? inputs[2].values[output] : 0
      for c in 0..<channels {
        for ky in 0..<kernel[0] {
          for kx in 0..<kernel[1] {
            let row = y * convolution.stride[0] - axes.height.before + ky * convolution.dilation[0]
            let place = column * convolution.stride[1] - axes.width.before + kx * convolution.dilation[1]
            guard let value = element(x, n, group * channels + c, row, place) else { continue }
            sum += value * weight.values[((output * channels + c) * kernel[0] + ky) * kernel[1] + kx]
          }
        }
      }
      return sum
    }
  }

  /// - Parameter combine: makes the output from the values inside the picture and the number of cells of the window that
  ///   lie inside the picture or its padding.
  static func pool(
    _ x: ReferenceValue, _ pooling: Pooling, shape: [Int], node: String, combine: ([Double], Int) -> Double
  ) throws -> [Double] {
    let axes = try axes(
      pooling.padding, x, kernel: pooling.kernel, stride: pooling.stride, ceilMode: pooling.ceilMode, node: node)
    let ends = [x.shape[2] + axes.height.after, x.shape[3] + axes.width.after]
    return fill(shape) { n, c, y, column in
      var values: [Double] = []
      var cells = 0
      for ky in 0..<pooling.kernel[0] {
        for kx in 0..<pooling.kernel[1] {
          let row = y * pooling.stride[0] - axes.height.before + ky
          let place = column * pooling.stride[1] - axes.width.before + kx
          if row < ends[0], place < ends[1] { cells += 1 }
          if let value = element(x, n, c, row, place) { values.append(value) }
        }
      }
      return combine(values, cells)
    }
  }

  /// Window i of an axis reaches from floor(i · in / out) to ceil((i + 1) · in / out).
  static func adaptiveAverage(_ x: ReferenceValue, shape: [Int]) -> [Double] {
    func window(_ index: Int, _ axis: Int) -> Range<Int> {
      let (size, count) = (x.shape[axis], shape[axis])
      return index * size / count..<((index + 1) * size + count - 1) / count
    }
    return fill(shape) { n, c, y, column in
      var sum = 0.0
      for row in window(y, 2) { for place in window(column, 3) { sum += element(x, n, c, row, place) ?? 0 } }
      return sum / Double(window(y, 2).count * window(column, 3).count)
    }
  }

  /// Between the centres of the four pixels around each place; places beyond the outermost centres take those.
  static func resize(_ x: ReferenceValue, shape: [Int]) -> [Double] {
    func taps(_ index: Int, _ axis: Int) -> [(place: Int, weight: Double)] {
      let size = x.shape[axis]
      let centre = max((Double(index) + 0.5) * Double(size) / Double(shape[axis]) - 0.5, 0)
      let first = min(Int(centre), size - 1)
      let share = centre - Double(first)
      return [(first, 1 - share), (min(first + 1, size - 1), share)]
    }
    return fill(shape) { n, c, y, column in
      var sum = 0.0
      for (row, weight) in taps(y, 2) {
        for (place, share) in taps(column, 3) { sum += weight * share * (element(x, n, c, row, place) ?? 0) }
      }
      return sum
    }
  }

  private static func axes(
    _ padding: Padding, _ x: ReferenceValue, kernel: [Int], stride: [Int], dilation: [Int] = [1, 1],
    ceilMode: Bool = false, node: String
  ) throws -> (height: WindowAxis, width: WindowAxis) {
    guard
      let axes = padding.axes(
        input: Array(x.shape[2...]), kernel: kernel, stride: stride, dilation: dilation, ceilMode: ceilMode)
    else { throw EngineError.unsupported(node: node, problem: "the window is larger than its input") }
    return axes
  }

  private static func fill(_ shape: [Int], _ value: (Int, Int, Int, Int) -> Double) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(shape.reduce(1, *))
    for n in 0..<shape[0] {
      for c in 0..<shape[1] { for y in 0..<shape[2] { for x in 0..<shape[3] { result.append(value(n, c, y, x)) } } }
    }
    return result
  }

  /// nil outside the picture.
  private static func element(_ x: ReferenceValue, _ n: Int, _ c: Int, _ row: Int, _ column: Int) -> Double? {
    guard (0..<x.shape[2]).contains(row), (0..<x.shape[3]).contains(column) else { return nil }
    return x.values[((n * x.shape[1] + c) * x.shape[2] + row) * x.shape[3] + column]
  }
}
