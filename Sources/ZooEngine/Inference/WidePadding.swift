import COneDNN
import ZooGraph

extension Lowering {
  /// A convolution's input with zeros left and right of it, where the kernels can't pad that far themselves.
  ///
  /// oneDNN's pad no further than the run of pixels that they make at once. Dilated convolutions ask for more, and would
  /// be left to a loop of reference, some hundred times slower.
  /// - Parameter window: without the padding that stands in the picture then.
  mutating func padded(
    _ source: Int32, _ shape: [Int], for target: Int32, groups: Int, _ window: inout zoo_window,
    _ epilogue: zoo_epilogue, _ node: Node
  ) throws -> Int32 {
    let (left, right) = (Int(window.before.1), Int(max(0, window.after.1)))
    guard left + right > 0,
      zoo_network_convolution_is_slow(handle, source, target, Int64(groups), &window, epilogue) == 1
    else { return source }
    let (height, width) = (shape[2], shape[3])
    let wide = try addTensor([shape[0], shape[1], height, left + width + right], ZOO_BLOCKED)
    let none = [Int32](repeating: -1, count: max(left, right))
    let sources = (0..<height).flatMap { row in
      none.prefix(left) + (0..<width).map { Int32(row * width + $0) } + none.prefix(right)
    }
    try step(
      node.name + ".padding", zoo_network_add_pixel_map(handle, source, wide, 1, sources, nil), reads: [source],
      writes: wide)
    window.before.1 = 0
    window.after.1 -= Int64(right)
    return wide
  }
}
