import COneDNN
import ZooGraph

extension Convolution {
  /// The geometry for one input [N, C, H, W] as the kernels take it.
  ///
  /// - Throws: `GraphError` where the window doesn't fit.
  func window(input: [Int], weight: [Int], node: String) throws(GraphError) -> zoo_window {
    let kernel = Array(weight[2...])
    guard let axes = padding.axes(input: Array(input[2...]), kernel: kernel, stride: stride, dilation: dilation) else {
      throw .windowTooLarge(node: node, kernel: kernel, input: input)
    }
    return zoo_window(axes, input: input, kernel: kernel, stride: stride, dilation: dilation)
  }
}

extension Pooling {
  /// The geometry for one input [N, C, H, W] as the kernels take it.
  ///
  /// - Throws: `GraphError` where the window doesn't fit.
  func window(input: [Int], node: String) throws(GraphError) -> zoo_window {
    guard let axes = padding.axes(input: Array(input[2...]), kernel: kernel, stride: stride, ceilMode: ceilMode) else {
      throw .windowTooLarge(node: node, kernel: kernel, input: input)
    }
    return zoo_window(axes, input: input, kernel: kernel, stride: stride, dilation: [1, 1])
  }
}

extension Pooling {
  /// What an average over the whole window is to be multiplied by where the last windows reach beyond the padding: cells
  /// of the window by those inside the padded picture, for each pixel of the output.
  func partialWindowFactors(input: [Int], output: [Int], node: String) throws(GraphError) -> [Float] {
    guard let axes = padding.axes(input: Array(input[2...]), kernel: kernel, stride: stride, ceilMode: ceilMode) else {
      throw .windowTooLarge(node: node, kernel: kernel, input: input)
    }
    let factors = [axes.height, axes.width].enumerated().map { index, axis in
      (0..<axis.output).map { place -> Float in
        let start = place * stride[index] - axis.before
        let end = min(start + kernel[index], input[index + 2] + axis.after)
        return Float(kernel[index]) / Float(end - start)
      }
    }
    return factors[0].flatMap { height in factors[1].map { height * $0 } }
  }
}

extension zoo_window {
  fileprivate init(
    _ axes: (height: WindowAxis, width: WindowAxis), input: [Int], kernel: [Int], stride: [Int], dilation: [Int]
  ) {
    func pair(_ numbers: [Int]) -> (Int64, Int64) { (Int64(numbers[0]), Int64(numbers[1])) }
    let both = [axes.height, axes.width]
    // A partial last window (ceil mode) reaches beyond the declared padding.
    let after = (0..<2).map { axis in
      let reach = (both[axis].output - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
      return max(both[axis].after, reach - input[axis + 2] - both[axis].before)
    }
    self.init(
      kernel: pair(kernel), stride: pair(stride), dilation: pair(dilation), before: pair(both.map(\.before)),
      after: pair(after))
  }

  /// Whether the last window reaches beyond the padding that the network declares.
  func exceeds(_ padding: Padding) -> Bool {
    guard case .explicit(_, _, let bottom, let right) = padding else { return false }
    return after.0 > Int64(bottom) || after.1 > Int64(right)
  }
}
