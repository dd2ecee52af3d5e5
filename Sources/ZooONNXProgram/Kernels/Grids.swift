import Foundation
import ZooCheckpoint

extension KernelCall {
  func gridSample() throws -> [ONNXValue] {
    let (x, grid) = (try input(0), try input(1))
    let (batch, channels, spatial) = try pictures(x)
    guard spatial.count <= 3, grid.rank == x.rank, grid.shape[0] == batch, grid.shape.last == spatial.count,
      !spatial.contains(0)
    else { throw ONNXProgramError(.shapesDiffer(x.shape, grid.shape)) }
    let mode: String
    switch try string("mode", "linear") {
    case "bilinear", "linear": mode = "linear"
    case "bicubic", "cubic": mode = "cubic"
    case let other: mode = other
    }
    let sampler = GridSampler(
      sizes: spatial, mode: mode, padding: try string("padding_mode", "zeros"),
      alignsCorners: try flag("align_corners", false))
    let inner = Array(grid.shape[1..<(grid.rank - 1)])
    let shape = [batch, channels] + inner
    let count = try self.count(shape)
    let (values, places) = (try x.doubles(), try grid.doubles())
    let (plane, points) = (spatial.reduce(1, *), inner.reduce(1, *))
    var result = [Double](repeating: 0, count: count)
    for n in 0..<batch {
      for point in 0..<points {
        let start = (n * points + point) * spatial.count
        // A grid names the last axis first.
        let taps = sampler.taps(Array(places[start..<(start + spatial.count)].reversed()))
        for channel in 0..<channels {
          let from = (n * channels + channel) * plane
          var sum = 0.0
          for tap in taps { sum += values[from + tap.place] * tap.weight }
          result[(n * channels + channel) * points + point] = sum
        }
      }
    }
    return [try ONNXValue(shape: shape, result).cast(to: dtype(of: x))]
  }

  func affineGrid() throws -> [ONNXValue] {
    let (theta, size) = (try input(0), try input(1).integers())
    let spatial = Array(size.dropFirst(2))
    let axes = spatial.count
    guard (2...3).contains(axes), theta.shape == [size[0], axes, axes + 1], spatial.allSatisfy({ $0 >= 0 }) else {
      throw ONNXProgramError(.shapesDiffer(theta.shape, size))
    }
    let shape = [size[0]] + spatial + [axes]
    var result: [Double] = []
    result.reserveCapacity(try count(shape))
    let matrix = try theta.doubles()
    let alignsCorners = try flag("align_corners", false)
    func coordinate(_ index: Int, _ size: Int) -> Double {
      alignsCorners
        ? (size == 1 ? 0 : -1 + 2 * Double(index) / Double(size - 1)) : (2 * Double(index) + 1) / Double(size) - 1
    }
    let strides = rowMajorStrides(spatial)
    for n in 0..<size[0] {
      for point in 0..<spatial.reduce(1, *) {
        let place = spatial.indices.reversed().map { coordinate(point / strides[$0] % spatial[$0], spatial[$0]) } + [1]
        for row in 0..<axes {
          result.append((0...axes).reduce(0) { $0 + matrix[(n * axes + row) * (axes + 1) + $1] * place[$1] })
        }
      }
    }
    return [try ONNXValue(shape: shape, result).cast(to: dtype(of: theta))]
  }
}

/// Where places named from -1 to 1 lie among pixels.
private struct GridSampler {
  let sizes: [Int]
  let mode: String
  let padding: String
  let alignsCorners: Bool

  func taps(_ place: [Double]) -> [(place: Int, weight: Double)] {
    var taps: [(place: Int, weight: Double)] = [(0, 1)]
    for (axis, number) in place.enumerated() {
      let along = axisTaps(number, size: sizes[axis])
      taps = taps.flatMap { tap in along.map { (tap.place * sizes[axis] + $0.place, tap.weight * $0.weight) } }
    }
    return taps
  }

  private func axisTaps(_ number: Double, size: Int) -> [(place: Int, weight: Double)] {
    var x = alignsCorners ? (number + 1) / 2 * Double(size - 1) : ((number + 1) * Double(size) - 1) / 2
    guard x.isFinite, abs(x) < 0x1p40 else { return [] }
    if mode == "nearest" { x.round(.toNearestOrEven) }
    if padding == "border" { x = min(max(x, 0), Double(size - 1)) }
    if padding == "reflection" { x = reflected(x, size: size) }
    let floor = x.rounded(.down), part = x - floor
    let weights: [(Int, Double)]
    switch mode {
    case "nearest": weights = [(Int(x), 1)]
    case "cubic": weights = (-1...2).map { (Int(floor) + $0, cubicKernel(abs(part - Double($0)), -0.75)) }
    default: weights = [(Int(floor), 1 - part), (Int(floor) + 1, part)]
    }
    return weights.compactMap { index, weight in
      if (0..<size).contains(index) { return (index, weight) }
      switch padding {
      case "border": return (min(max(index, 0), size - 1), weight)
      case "reflection": return (min(max(Int(reflected(Double(index), size: size)), 0), size - 1), weight)
      default: return nil
      }
    }
  }

  private func reflected(_ x: Double, size: Int) -> Double {
    let low = alignsCorners ? 0 : -0.5, high = alignsCorners ? Double(size - 1) : Double(size) - 0.5
    let span = high - low
    guard x < low || x > high, span > 0 else { return span > 0 ? x : 0 }
    let distance = (x < low ? low - x : x - high), turns = (distance / span).rounded(.down)
    let rest = distance - turns * span
    let isEven = turns.truncatingRemainder(dividingBy: 2) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }
}
