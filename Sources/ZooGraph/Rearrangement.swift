/// Pixels of [N, C, H, W] put elsewhere, their numbers unchanged.
public enum Rearrangement: Sendable, Equatable {
  /// Rows and columns of zeros below and on the right until `height` and `width` divide the picture.
  case padToMultiple(height: Int, width: Int)
  /// x, like: the upper left part of x that is as large as `like`.
  case crop
  /// One pixel, row · width + column, of each picture: [N, C].
  case pixel(Int)
  /// Two by two pixels become one of four times the channels: upper left, lower left, upper right, lower right (Swin,
  /// arXiv:2103.14030, section 3.1). Takes even sizes.
  case mergeNeighbours
}

/// Where the pixels of a rearranged picture come from.
public struct PixelMap: Sendable, Equatable {
  /// [N, C, H, W] or [N, C].
  public let outputShape: [Int]
  /// Sets of the input's channels that the output has one after another.
  public let parts: Int
  /// For each part and each pixel of the output, the input's pixel, or -1 for zeros. No pixel is read twice.
  public let sources: [Int32]

  /// Whether the output is the input, of the given shape.
  public func isIdentity(of input: [Int]) -> Bool {
    outputShape == input && sources.indices.allSatisfy { sources[$0] == Int32($0) }
  }
}

extension Rearrangement {
  /// - Parameter operands: shapes of x, and of what it is cropped like.
  /// - Returns: nil where the operands don't fit.
  public func map(_ operands: [[Int]]) -> PixelMap? {
    guard let x = operands.first, x.count == 4, x.allSatisfy({ $0 > 0 }) else { return nil }
    switch self {
    case .padToMultiple(let height, let width):
      guard height > 0, width > 0 else { return nil }
      let size = [(x[2] + height - 1) / height * height, (x[3] + width - 1) / width * width]
      return Self.corner(of: x, size: size)
    case .crop:
      guard operands.count == 2, operands[1].count == 4, operands[1][2] <= x[2], operands[1][3] <= x[3] else {
        return nil
      }
      return Self.corner(of: x, size: Array(operands[1][2...]))
    case .pixel(let index):
      guard (0..<x[2] * x[3]).contains(index) else { return nil }
      return PixelMap(outputShape: [x[0], x[1]], parts: 1, sources: [Int32(index)])
    case .mergeNeighbours:
      guard x[2] % 2 == 0, x[3] % 2 == 0 else { return nil }
      let sources = [(0, 0), (1, 0), (0, 1), (1, 1)].flatMap { below, right in
        (0..<x[2] / 2).flatMap { row in
          (0..<x[3] / 2).map { Int32((2 * row + below) * x[3] + 2 * $0 + right) }
        }
      }
      return PixelMap(outputShape: [x[0], 4 * x[1], x[2] / 2, x[3] / 2], parts: 4, sources: sources)
    }
  }

  private static func corner(of x: [Int], size: [Int]) -> PixelMap {
    let sources = (0..<size[0]).flatMap { row in
      (0..<size[1]).map { row < x[2] && $0 < x[3] ? Int32(row * x[3] + $0) : -1 }
    }
    return PixelMap(outputShape: [x[0], x[1]] + size, parts: 1, sources: sources)
  }
}
