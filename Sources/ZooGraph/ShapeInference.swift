import ZooCheckpoint

/// Why a graph can't take an input of some shape.
public enum GraphError: Error, Sendable, Equatable {
  case rank(node: String, expected: Int, found: [Int])
  case mismatch(node: String, what: String, expected: [Int], found: [Int])
  case windowTooLarge(node: String, kernel: [Int], input: [Int])
  case indivisible(node: String, window: [Int], input: [Int])
  case undefinedValue(node: String, index: Int)
}

extension GraphError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .rank(let node, let expected, let found):
      ErrorReport(.badData, place: node, problem: "takes a tensor of rank \(expected), found shape \(found)")
    case .mismatch(let node, let what, let expected, let found):
      ErrorReport(.badData, place: node, problem: "\(what): expected \(expected), found \(found)")
    case .windowTooLarge(let node, let kernel, let input):
      ErrorReport(
        .badData, place: node, problem: "a window of \(kernel) doesn't fit into an input of \(input)",
        advice: "use larger pictures")
    case .indivisible(let node, let window, let input):
      ErrorReport(
        .badData, place: node, problem: "windows of \(window) don't divide \(input) pixels",
        advice: "use pictures of another size, such as those the model was trained on")
    case .undefinedValue(let node, let index):
      ErrorReport(.badData, place: node, problem: "uses value \(index) before anything defines it")
    }
  }
}

/// Output size of one spatial axis, and the cells of padding before and after it.
public struct WindowAxis: Sendable, Equatable {
  public let output: Int
  public let before: Int
  public let after: Int

  /// - Parameter padding: the explicit cells before and after; nil for TensorFlow's SAME.
  /// Returns nil where the window doesn't fit. Formula: PyTorch's `Conv2d` and `MaxPool2d` documentation.
  public init?(
    input: Int, kernel: Int, stride: Int, dilation: Int = 1, padding: (before: Int, after: Int)?, ceilMode: Bool = false
  ) {
    let extent = dilation * (kernel - 1) + 1
    guard let padding else {
      output = (input + stride - 1) / stride
      let total = max((output - 1) * stride + extent - input, 0)
      before = total / 2
      after = total - total / 2
      return
    }
    let room = input + padding.before + padding.after - extent
    guard input > 0, room >= 0 else { return nil }
    var count = (ceilMode ? room + stride - 1 : room) / stride + 1
    if ceilMode && (count - 1) * stride >= input + padding.before { count -= 1 }
    output = count
    before = padding.before
    after = padding.after
  }
}

extension Padding {
  /// Both spatial axes of a window over `input` [height, width]; nil where it doesn't fit.
  public func axes(
    input: [Int], kernel: [Int], stride: [Int], dilation: [Int] = [1, 1], ceilMode: Bool = false
  ) -> (height: WindowAxis, width: WindowAxis)? {
    var cells: [(before: Int, after: Int)?] = [nil, nil]
    if case .explicit(let top, let left, let bottom, let right) = self { cells = [(top, bottom), (left, right)] }
    let made = (0..<2).map {
      WindowAxis(
        input: input[$0], kernel: kernel[$0], stride: stride[$0], dilation: dilation[$0], padding: cells[$0],
        ceilMode: ceilMode)
    }
    guard let height = made[0], let width = made[1] else { return nil }
    return (height, width)
  }
}

extension Graph {
  /// The shape of every value, indexed by ``ValueID/index``, for an input of the given shape (pictures: [N, C, H, W];
  /// one sequence of token ids: [tokens]).
  ///
  /// - Throws: ``GraphError``.
  ///
  /// - Parameter sizes: shapes of values that nothing here makes and that only say how large another becomes.
  public func inferShapes(input shape: [Int], sizes: [ValueID: [Int]] = [:]) throws(GraphError) -> [[Int]] {
    var shapes = [[Int]?](repeating: nil, count: values)
    for (value, size) in sizes { shapes[value.index] = size }
    shapes[input.index] = shape
    if let decoderInput { shapes[decoderInput.index] = shape }
    for parameter in parameters { shapes[parameter.value.index] = parameter.shape }
    for node in nodes {
      var operands: [[Int]] = []
      for value in node.inputs {
        guard let known = shapes[value.index] else {
          throw .undefinedValue(node: node.name, index: value.index)
        }
        operands.append(known)
      }
      shapes[node.output.index] = try node.outputShape(operands)
    }
    return shapes.map { $0 ?? [] }
  }
}

extension Node {
  /// - Throws: ``GraphError`` where the operands don't fit the operation.
  package func outputShape(_ operands: [[Int]]) throws(GraphError) -> [Int] {
    guard let x = operands.first else { throw .undefinedValue(node: name, index: -1) }
    switch operation {
    case .convolution(let convolution): return try outputShape(of: convolution, operands)
    case .batchNormalization:
      guard x.count >= 2 else { throw .rank(node: name, expected: 4, found: x) }
      for parameter in operands.dropFirst() where parameter != [x[1]] {
        throw .mismatch(node: name, what: "channels", expected: [x[1]], found: parameter)
      }
      return x
    case .activation, .dropout, .softmax: return x
    case .maxPool(let pooling), .averagePool(let pooling):
      guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
      guard
        let axes = pooling.padding.axes(
          input: Array(x[2...]), kernel: pooling.kernel, stride: pooling.stride, ceilMode: pooling.ceilMode)
      else { throw .windowTooLarge(node: name, kernel: pooling.kernel, input: x) }
      return [x[0], x[1], axes.height.output, axes.width.output]
    case .adaptiveAveragePool(let height, let width):
      guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
      return [x[0], x[1], height, width]
    case .linear:
      let weight = operands.count > 1 ? operands[1] : []
      guard x.count == 2 || x.count == 4 else { throw .rank(node: name, expected: 2, found: x) }
      guard weight.count == 2, weight[1] == x[1] else {
        throw .mismatch(node: name, what: "weight", expected: [weight.first ?? 0, x[1]], found: weight)
      }
      return [x[0], weight[0]] + x.dropFirst(2)
    case .layerNormalization(let axis, _):
      guard x.indices.contains(axis) else { throw .rank(node: name, expected: axis + 1, found: x) }
      for parameter in operands.dropFirst() where parameter != [x[axis]] {
        throw .mismatch(node: name, what: "channels", expected: [x[axis]], found: parameter)
      }
      return x
    case .channelScale:
      guard x.count >= 2 else { throw .rank(node: name, expected: 4, found: x) }
      guard let scale = operands.dropFirst().first, [[x[1]], [x[1], 1, 1]].contains(scale) else {
        throw .mismatch(node: name, what: "scale", expected: [x[1], 1, 1], found: operands.last ?? [])
      }
      return x
    case .channelAffine(let scale, let shift):
      guard x.count >= 2 else { throw .rank(node: name, expected: 4, found: x) }
      guard [scale.count, shift.count] == [x[1], x[1]] else {
        throw .mismatch(
          node: name, what: "scale and shift", expected: [x[1], x[1]], found: [scale.count, shift.count])
      }
      return x
    case .gate: return try gatedShape(operands)
    case .gatherChannels(let channels): return try gatheredShape(operands, channels)
    case .concatenate(let axis): return try concatenatedShape(operands, axis: axis)
    case .add:
      guard operands.count == 2, operands[0] == operands[1] else {
        throw .mismatch(node: name, what: "summands", expected: x, found: operands.last ?? [])
      }
      return x
    case .resize:
      guard operands.count == 2, x.count == 4, operands[1].count == 4 else {
        throw .rank(node: name, expected: 4, found: operands.last ?? x)
      }
      return Array(x[..<2] + operands[1][2...])
    case .flatten:
      guard let batch = x.first else { throw .rank(node: name, expected: 4, found: x) }
      return [batch, x.dropFirst().reduce(1, *)]
    case .attention(let attention): return try outputShape(of: attention, operands)
    case .tokens, .rearrange, .channelShift, .reshape: return try tokenShape(operands)
    case .transpose:
      guard x.count == 2 else { throw .rank(node: name, expected: 2, found: x) }
      return [x[1], x[0]]
    case .sequence(let operation): return try outputShape(of: operation, operands)
    }
  }

  func concatenatedShape(_ operands: [[Int]], axis: Int) throws(GraphError) -> [Int] {
    var result = operands[0]
    guard result.indices.contains(axis) else { throw .rank(node: name, expected: axis + 1, found: result) }
    for part in operands.dropFirst() {
      var expected = result
      if part.indices.contains(axis) { expected[axis] = part[axis] }
      guard part == expected else { throw .mismatch(node: name, what: "a part", expected: expected, found: part) }
      let (sum, isTooLarge) = result[axis].addingReportingOverflow(part[axis])
      guard !isTooLarge else { throw .mismatch(node: name, what: "a part", expected: result, found: part) }
      result[axis] = sum
    }
    return result
  }

  private func outputShape(of convolution: Convolution, _ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    let weight = operands.count > 1 ? operands[1] : []
    guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
    guard weight.count == 4, weight[1] * convolution.groups == x[1] else {
      throw .mismatch(node: name, what: "input channels", expected: Array(weight.dropFirst().prefix(1)), found: x)
    }
    let kernel = Array(weight[2...])
    guard
      let axes = convolution.padding.axes(
        input: Array(x[2...]), kernel: kernel, stride: convolution.stride, dilation: convolution.dilation)
    else { throw .windowTooLarge(node: name, kernel: kernel, input: x) }
    return [x[0], weight[0], axes.height.output, axes.width.output]
  }
}
