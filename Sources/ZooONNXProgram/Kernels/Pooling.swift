import Foundation
import ZooCheckpoint

/// Reduces the cells of each window.
private struct MaxPooling: NumberVisitor {
  let taps: [[[(cell: Int, place: Int)]]]
  let sizes: [Int]
  let planes: Int
  let count: Int

  func visit<T: Number>(_ arrays: [[T]]) -> (Elements, places: [Int]) {
    let planeSize = sizes.reduce(1, *)
    var (values, places): ([T], [Int]) = ([], [])
    values.reserveCapacity(count)
    places.reserveCapacity(count)
    arrays[0].withUnsafeBufferPointer { source in
      for plane in 0..<planes {
        for depth in taps[0] {
          for row in taps[1] {
            for column in taps[2] {
              var (best, found) = (T.lowest, -1)
              for d in depth {
                for h in row {
                  let from = plane * planeSize + (d.place * sizes[1] + h.place) * sizes[2]
                  for w in column where found < 0 || source[from + w.place] > best {
                    (best, found) = (source[from + w.place], from + w.place)
                  }
                }
              }
              values.append(best)
              places.append(found)
            }
          }
        }
      }
    }
    return (T.wrap(values), places)
  }
}

extension KernelCall {
  private func taps(_ window: SpatialWindow, _ spatial: [Int]) -> (taps: [[[(cell: Int, place: Int)]]], sizes: [Int]) {
    let full = window.overThreeAxes
    let sizes = [Int](repeating: 1, count: 3 - spatial.count) + spatial
    return ((0..<3).map { full.taps($0, size: sizes[$0]) }, sizes)
  }

  func maxPool() throws -> [ONNXValue] {
    let x = try input(0)
    let (batch, channels, spatial) = try pictures(x)
    let window = try self.window(spatial, roundsUp: flag("ceil_mode", false))
    let shape = [batch, channels] + window.output
    let count = try self.count(shape, size: 16)
    let (taps, sizes) = self.taps(window, spatial)
    let pooling = MaxPooling(taps: taps, sizes: sizes, planes: batch * channels, count: count)
    guard let (values, places) = try Elements.acceptNumbers([x.widened.elements], pooling) else {
      throw ONNXProgramError(.dtype(found: x.dtype, needed: "numbers"))
    }
    let result = try ONNXValue(shape: shape, values).cast(to: dtype(of: x))
    guard wants(1) else { return [result] }
    let isColumnMajor = try flag("storage_order", false)
    let plane = sizes.reduce(1, *)
    let numbers = places.map { place -> Int64 in
      guard isColumnMajor, place >= 0 else { return Int64(place) }
      let (d, h, w) = (place % plane / (sizes[1] * sizes[2]), place / sizes[2] % sizes[1], place % sizes[2])
      return Int64(place / plane * plane + (w * sizes[1] + h) * sizes[0] + d)
    }
    return [result, ONNXValue(shape: shape, numbers)]
  }

  /// Calls `body` for every window with its cells' places in the input and how many cells lie on input or padding.
  private func eachWindow(
    _ window: SpatialWindow, _ spatial: [Int], planes: Int, _ body: (_ places: [Int], _ padded: Int) -> Void
  ) {
    let (taps, sizes) = self.taps(window, spatial)
    let full = window.overThreeAxes
    let counts = (0..<3).map { (axis: Int) -> [Int] in
      (0..<full.output[axis]).map { (position: Int) -> Int in
        let start = position * full.strides[axis] - full.before[axis], end = sizes[axis] + full.after[axis]
        let step = full.dilations[axis]
        return max(0, min(full.kernel[axis], (end - start + step - 1) / step))
      }
    }
    let planeSize = sizes.reduce(1, *)
    var places: [Int] = []
    for plane in 0..<planes {
      for (depth, depthCount) in zip(taps[0], counts[0]) {
        for (row, rowCount) in zip(taps[1], counts[1]) {
          for (column, columnCount) in zip(taps[2], counts[2]) {
            places.removeAll(keepingCapacity: true)
            for d in depth {
              for h in row {
                let from = plane * planeSize + (d.place * sizes[1] + h.place) * sizes[2]
                for w in column { places.append(from + w.place) }
              }
            }
            body(places, depthCount * rowCount * columnCount)
          }
        }
      }
    }
  }

  func averagePool() throws -> [ONNXValue] {
    let x = try input(0)
    let countsPadding = try flag("count_include_pad", false)
    return [
      try pool(x) { values, places, padded in
        places.reduce(0) { $0 + values[$1] } / Double(countsPadding ? padded : places.count)
      }
    ]
  }

  func powerPool() throws -> [ONNXValue] {
    let power = opset < 2 ? Double(try float("p", 2)) : Double(try integer("p", 2))
    return [
      try pool(input(0)) { values, places, _ in
        pow(places.reduce(0) { $0 + pow(abs(values[$1]), power) }, 1 / power)
      }
    ]
  }

  private func pool(
    _ x: ONNXValue, _ body: (_ values: [Double], _ places: [Int], _ padded: Int) -> Double
  ) throws -> ONNXValue {
    let (batch, channels, spatial) = try pictures(x)
    let window = try self.window(spatial, roundsUp: flag("ceil_mode", false))
    let shape = [batch, channels] + window.output
    let values = try x.doubles()
    var result: [Double] = []
    result.reserveCapacity(try count(shape))
    eachWindow(window, spatial, planes: batch * channels) { result.append(body(values, $0, $1)) }
    return try ONNXValue(shape: shape, result).cast(to: dtype(of: x))
  }

  func maxUnpool() throws -> [ONNXValue] {
    let (x, index) = (try input(0), try input(1))
    let (batch, channels, spatial) = try pictures(x)
    var shape = [batch, channels]
    let window = try windowAttributes(spatial.count, kernel: nil)
    for axis in spatial.indices {
      shape.append(
        max(
          0, (spatial[axis] - 1) * window.strides[axis] - window.before[axis] - window.after[axis] + window.kernel[axis]
        ))
    }
    // Indices count in the picture that the window's numbers give; a larger one may be asked for.
    let inner = shape
    if let wanted = optional(2) { shape = try wanted.integers() }
    guard shape.count == x.rank, index.shape == x.shape, shape[0] == batch, shape[1] == channels else {
      throw ONNXProgramError(.shapesDiffer(x.shape, index.shape))
    }
    let total = try count(inner)
    var sources = [Int](repeating: -1, count: total)
    for (place, number) in try index.integers().enumerated() {
      guard (0..<total).contains(number) else { throw ONNXProgramError(.index(number, size: total)) }
      sources[number] = place
    }
    let small = try pick(x, sources, shape: inner)
    guard shape != inner else { return [small] }
    let after = zip(shape, inner).map { $0 - $1 }
    return [try padded(small, before: [Int](repeating: 0, count: x.rank), after: after)]
  }

  func globalPool(_ reduction: Reduction) throws -> [ONNXValue] {
    let x = try input(0)
    _ = try pictures(x)
    return [try reduce(x, reduction, axes: Array(2..<x.rank), keeps: true)]
  }

  func globalPowerPool() throws -> [ONNXValue] {
    let x = try input(0)
    _ = try pictures(x)
    let power = opset < 2 ? Double(try float("p", 2)) : Double(try integer("p", 2))
    let powers = ONNXValue(shape: x.shape, try x.doubles().map { pow(abs($0), power) })
    let sums = try reduce(powers, .sum, axes: Array(2..<x.rank), keeps: true)
    return [try ONNXValue(shape: sums.shape, sums.doubles().map { pow($0, 1 / power) }).cast(to: dtype(of: x))]
  }
}
