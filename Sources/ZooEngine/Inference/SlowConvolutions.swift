import COneDNN
import ZooGraph

/// Ways round the shapes for which oneDNN has no blocked kernel, and would run a loop of reference, some hundred times
/// slower.
extension Lowering {
  /// A picture that a step reads.
  struct Source {
    var tensor: Int32
    var shape: [Int]
  }

  func isSlow(
    _ source: Source, _ target: Int32, groups: Int, _ window: zoo_window, _ epilogue: zoo_epilogue
  ) -> Bool {
    var window = window
    return zoo_network_convolution_is_slow(handle, source.tensor, target, Int64(groups), &window, epilogue) == 1
  }

  /// A convolution's input with zeros left and right of it: the kernels pad no further than the run of pixels that they
  /// make at once, and dilated convolutions ask for more.
  ///
  /// - Parameter window: without the padding that stands in the picture then.
  mutating func padded(_ source: Source, _ window: inout zoo_window, _ node: Node) throws -> Source {
    let (left, right) = (Int(window.before.1), Int(max(0, window.after.1)))
    guard left + right > 0 else { return source }
    let (height, width) = (source.shape[2], source.shape[3])
    let shape = source.shape.dropLast() + [left + width + right]
    let wide = try addTensor(Array(shape), ZOO_BLOCKED)
    let none = [Int32](repeating: -1, count: max(left, right))
    let sources = (0..<height).flatMap { row in
      none.prefix(left) + (0..<width).map { Int32(row * width + $0) } + none.prefix(right)
    }
    try step(
      node.name + ".padding", zoo_network_add_pixel_map(handle, source.tensor, wide, 1, sources, nil),
      reads: [source.tensor], writes: wide)
    window.before.1 = 0
    window.after.1 -= Int64(right)
    return Source(tensor: wide, shape: Array(shape))
  }

  /// Row-major pictures for a convolution to read and write: as a matrix product it takes groups of any size.
  mutating func plainEnds(
    _ source: Source, residual: Int32?, _ node: Node
  ) throws -> (source: Int32, target: Int32) {
    let plain = try addTensor(source.shape, ZOO_PLAIN)
    try step(
      "reorder", zoo_network_add_reorder(handle, source.tensor, plain), reads: [source.tensor], writes: plain)
    let result = try addTensor(shapes[node.output.index], ZOO_PLAIN)
    if let residual {
      try step("reorder", zoo_network_add_reorder(handle, residual, result), reads: [residual], writes: result)
    }
    return (plain, result)
  }
}
