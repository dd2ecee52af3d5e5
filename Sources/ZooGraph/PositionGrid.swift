/// Position embeddings of a picture's patches: those that were learnt for a square grid, interpolated for any other.
public struct PositionGrid: Sendable, Equatable {
  /// Numbers summed for each patch.
  public let taps: Int
  /// For each patch, row by row, the `taps` places in the learnt grid and what each is multiplied by.
  public let places: [Int32]
  public let factors: [Float]

  /// - Parameters:
  ///   - learnt: patches of the learnt grid.
  ///   - size: [height, width] of the wanted grid.
  /// - Returns: nil where another grid is wanted and the learnt one is no square.
  public init?(learnt: Int, size: [Int]) {
    let side = Int(Double(learnt).squareRoot().rounded())
    if learnt == size[0] * size[1], side * side != learnt || size == [side, side] {
      taps = 1
      places = (0..<learnt).map(Int32.init)
      factors = [Float](repeating: 1, count: learnt)
      return
    }
    guard side > 0, side * side == learnt else { return nil }
    let rows = Self.cubic(side, to: size[0])
    let columns = Self.cubic(side, to: size[1])
    taps = 16
    var places: [Int32] = []
    var factors: [Float] = []
    for row in rows {
      for column in columns {
        for (y, a) in row {
          for (x, b) in column {
            places.append(Int32(y * side + x))
            factors.append(Float(a * b))
          }
        }
      }
    }
    self.places = places
    self.factors = factors
  }

  /// Cubic convolution (Keys 1981, with a = -0.75) whose corners stand on the grid's corners: PyTorch's `interpolate` with
  /// `mode="bicubic", align_corners=True`, as torchvision's `interpolate_embeddings` calls it.
  private static func cubic(_ count: Int, to wanted: Int) -> [[(place: Int, factor: Double)]] {
    let a = -0.75
    func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
    func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return (0..<wanted).map { index in
      let source = wanted > 1 ? Double(index) * Double(count - 1) / Double(wanted - 1) : 0
      let start = Int(source.rounded(.down))
      let t = source - Double(start)
      let factors = [far(t + 1), near(t), near(1 - t), far(2 - t)]
      return factors.enumerated().map { (min(max(start - 1 + $0.offset, 0), count - 1), $0.element) }
    }
  }
}
