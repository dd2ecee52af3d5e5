/// Multi-head attention of a picture's pixels, or a text's tokens, to each other: softmax(scale · Q Kᵀ + bias) V
/// (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).
///
/// Inputs: the fused projection [N, 3 · heads · width, H, W], queries first, then keys, then values, each head by head;
/// the position bias table where `hasPositionBias`; the logarithm of each head's scale, [heads, 1, 1], where `isCosine`.
/// Output: [N, heads · width, H, W].
public struct Attention: Sendable, Equatable {
  /// Which pixels attend to each other.
  public enum Partition: Sendable, Equatable {
    case whole
    /// Windows side by side, of a picture that is first rolled up and to the left by `shift`, where it is larger than one
    /// window (Swin, arXiv:2103.14030, section 3.2).
    case windows(height: Int, width: Int, shift: [Int])
    /// Height × width pixels spread evenly over the picture (MaxViT, arXiv:2204.01697, section 3.2).
    case grid(height: Int, width: Int)
  }

  public var heads: Int
  public var partition: Partition
  /// Multiplies the products of queries and keys; unused where `isCosine`.
  public var scale: Float
  /// Whether a number for each head and relative position is added: a table [(2h - 1) · (2w - 1), heads] for windows of
  /// h × w, the row (Δy + h - 1) · (2w - 1) + Δx + w - 1 for a query Δy below and Δx right of its key.
  public var hasPositionBias: Bool
  /// Whether queries and keys count by their angle, times a learnt scale of at most 100 (Swin v2, arXiv:2111.09883).
  public var isCosine: Bool

  public init(
    heads: Int, partition: Partition = .whole, scale: Float = 1, hasPositionBias: Bool = false, isCosine: Bool = false
  ) {
    self.heads = heads
    self.partition = partition
    self.scale = scale
    self.hasPositionBias = hasPositionBias
    self.isCosine = isCosine
  }

  /// What is added to products of pixels of a shifted window that were no neighbours before the shift.
  public static let maskedProduct: Float = -100
  /// The largest scale of cosines.
  public static let largestCosineScale: Float = 100
}

extension Attention.Partition {
  /// Height and width of a window or grid.
  public var window: [Int]? {
    switch self {
    case .whole: nil
    case .windows(let height, let width, _), .grid(let height, let width): [height, width]
    }
  }

  /// The groups of a picture [height, width] that `window` divides.
  public func groups(_ size: [Int]) -> AttentionGroups {
    switch self {
    case .whole:
      let count = size[0] * size[1]
      return AttentionGroups(length: count, tokens: (0..<count).map(Int32.init), regions: nil)
    case .windows(let height, let width, let shift): return Self.windows([height, width], shift, size)
    case .grid(let height, let width):
      let steps = [size[0] / height, size[1] / width]
      var tokens: [Int32] = []
      for top in 0..<steps[0] {
        for left in 0..<steps[1] {
          for row in 0..<height {
            for column in 0..<width {
              tokens.append(Int32((row * steps[0] + top) * size[1] + column * steps[1] + left))
            }
          }
        }
      }
      return AttentionGroups(length: height * width, tokens: tokens, regions: nil)
    }
  }

  private static func windows(_ window: [Int], _ wanted: [Int], _ size: [Int]) -> AttentionGroups {
    // A picture of one window isn't shifted.
    let shift = (0..<2).map { window[$0] >= size[$0] ? 0 : wanted[$0] }
    /// Of the rolled picture's rows or columns: what was apart before it was rolled is in different parts.
    func part(_ place: Int, _ axis: Int) -> Int32 {
      if shift[axis] == 0 { return 2 }
      return place < size[axis] - window[axis] ? 0 : place < size[axis] - shift[axis] ? 1 : 2
    }
    var tokens: [Int32] = []
    var regions: [Int32] = []
    for top in stride(from: 0, to: size[0], by: window[0]) {
      for left in stride(from: 0, to: size[1], by: window[1]) {
        for row in top..<top + window[0] {
          for column in left..<left + window[1] {
            tokens.append(Int32((row + shift[0]) % size[0] * size[1] + (column + shift[1]) % size[1]))
            regions.append(part(row, 0) * 3 + part(column, 1))
          }
        }
      }
    }
    return AttentionGroups(
      length: window[0] * window[1], tokens: tokens, regions: shift == [0, 0] ? nil : regions)
  }

  /// For each pair of query and key of a group, the row of the position bias table: length × length, query-major.
  public var biasRows: [Int32]? {
    guard let window else { return nil }
    let places = (0..<window[0]).flatMap { y in (0..<window[1]).map { (y, $0) } }
    return places.flatMap { query in
      places.map { key in
        Int32((query.0 - key.0 + window[0] - 1) * (2 * window[1] - 1) + query.1 - key.1 + window[1] - 1)
      }
    }
  }

  /// Rows of the position bias table.
  public var biasTableRows: Int { window.map { (2 * $0[0] - 1) * (2 * $0[1] - 1) } ?? 0 }
}

/// Which pixels of a picture attend to each other: every pixel is in one group, all groups have one length.
public struct AttentionGroups: Sendable, Equatable {
  public let length: Int
  /// Pixels, row · width + column, group after group.
  public let tokens: [Int32]
  /// Where some pixels of a group shouldn't see each other: beside each token its region; those of different regions get
  /// ``Attention/maskedProduct``.
  public let regions: [Int32]?

  public var count: Int { tokens.count / max(length, 1) }
}

extension Node {
  func outputShape(of attention: Attention, _ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    guard x.count == 4 else { throw .rank(node: name, expected: 4, found: x) }
    let width = x[1] / (3 * attention.heads)
    guard x[1] == 3 * attention.heads * width else {
      throw .mismatch(
        node: name, what: "channels of the projection, a multiple of", expected: [3 * attention.heads], found: [x[1]])
    }
    if let window = attention.partition.window, x[2] % window[0] != 0 || x[3] % window[1] != 0 || x[2] * x[3] == 0 {
      throw .indivisible(node: name, window: window, input: Array(x[2...]))
    }
    var parameters: [[Int]] = []
    if attention.hasPositionBias { parameters.append([attention.partition.biasTableRows, attention.heads]) }
    if attention.isCosine { parameters.append([attention.heads, 1, 1]) }
    guard Array(operands.dropFirst()) == parameters else {
      throw .mismatch(
        node: name, what: "bias table and scales", expected: parameters.flatMap { $0 },
        found: operands.dropFirst().flatMap { $0 })
    }
    return [x[0], x[1] / 3, x[2], x[3]]
  }
}
