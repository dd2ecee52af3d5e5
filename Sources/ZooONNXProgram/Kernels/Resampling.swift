import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Pictures at other places than their pixels.
  static let resampling: [String: Kernel] = [
    "Resize": { try $0.resize() },
    "Upsample": { try $0.upsample() },
    "GridSample": { try $0.gridSample() },
    "AffineGrid": { try $0.affineGrid() },
    "RoiAlign": { try $0.alignRegions() },
  ]
}

/// For each place along one axis of the result: which inputs it takes and how much of each.
private struct AxisWeights {
  /// nil where the place lies outside and takes the extrapolation value.
  var taps: [[(place: Int, weight: Double)]?] = []
}

/// What Resize's attributes ask for.
private struct ResizeMode {
  let mode: String
  let transformation: String
  let nearest: String
  let cubic: Double
  let excludesOutside: Bool
  let antialiases: Bool

  /// - Parameters:
  ///   - size, output: along this axis.
  ///   - scale: output by input, before the output was rounded.
  ///   - region: start and end within the input, from 0 to 1.
  func weights(size: Int, output: Int, scale: Double, region: (Double, Double)) throws -> AxisWeights {
    var result = AxisWeights()
    result.taps.reserveCapacity(output)
    for index in 0..<output {
      let place = try source(Double(index), size: size, output: output, scale: scale, region: region)
      if transformation == "tf_crop_and_resize", place < 0 || place > Double(size - 1) {
        result.taps.append(nil)
        continue
      }
      guard place.isFinite, abs(place) < 0x1p40 else {
        throw ONNXProgramError(.size(found: size, needed: "a finite scale"))
      }
      result.taps.append(try taps(place, size: size, scale: scale))
    }
    return result
  }

  private func source(_ x: Double, size: Int, output: Int, scale: Double, region: (Double, Double)) throws -> Double {
    // The scale's own length decides, which differs from the rounded one.
    let length = scale * Double(size)
    switch transformation {
    case "half_pixel": return (x + 0.5) / scale - 0.5
    case "pytorch_half_pixel": return length == 1 ? -0.5 : (x + 0.5) / scale - 0.5
    case "asymmetric": return x / scale
    case "align_corners": return length == 1 ? 0 : x * Double(size - 1) / (length - 1)
    case "half_pixel_symmetric":
      let adjustment = Double(output) / length
      return Double(size) / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5
    case "tf_crop_and_resize":
      let last = Double(size - 1)
      return length == 1
        ? 0.5 * (region.0 + region.1) * last : region.0 * last + x * (region.1 - region.0) * last / (length - 1)
    default: throw ONNXProgramError(.badAttribute("coordinate_transformation_mode", found: transformation))
    }
  }

  private func taps(_ place: Double, size: Int, scale: Double) throws -> [(place: Int, weight: Double)] {
    let floor = place.rounded(.down)
    switch mode {
    case "nearest": return [(max(0, min(size - 1, Int(try rounded(place)))), 1)]
    case "linear", "cubic":
      let reach = mode == "linear" ? 1.0 : 2.0
      // A smaller picture takes in all that its pixels cover.
      let stretch = antialiases && scale < 1 ? 1 / scale : 1
      guard stretch * reach < 0x1p20 else { throw ONNXProgramError(.size(found: size, needed: "a larger scale")) }
      var taps: [(place: Int, weight: Double)] = []
      var total = 0.0
      for index in Int(floor - (reach * stretch).rounded(.up))...Int(floor + (reach * stretch).rounded(.up) + 1) {
        let distance = abs(Double(index) - place) / stretch
        let weight = mode == "linear" ? max(0, 1 - distance) : cubicWeight(distance)
        if weight == 0 { continue }
        if excludesOutside, !(0..<size).contains(index) { continue }
        taps.append((max(0, min(size - 1, index)), weight))
        total += weight
      }
      if total != 0, excludesOutside || stretch != 1 { taps = taps.map { ($0.place, $0.weight / total) } }
      return taps
    default: throw ONNXProgramError(.badAttribute("mode", found: mode))
    }
  }

  private func rounded(_ place: Double) throws -> Double {
    switch nearest {
    case "round_prefer_floor": (place - 0.5).rounded(.up)
    case "round_prefer_ceil": (place + 0.5).rounded(.down)
    case "floor": place.rounded(.down)
    case "ceil": place.rounded(.up)
    default: throw ONNXProgramError(.badAttribute("nearest_mode", found: nearest))
    }
  }

  private func cubicWeight(_ x: Double) -> Double { cubicKernel(x, cubic) }
}

/// Keys's cubic convolution (IEEE ASSP 29, 1981).
func cubicKernel(_ x: Double, _ a: Double) -> Double {
  x <= 1
    ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}

extension KernelCall {
  fileprivate func upsample() throws -> [ONNXValue] {
    let x = try input(0)
    let scales = try floats("scales")?.map { Double($0) } ?? input(1).doubles()
    let mode = ResizeMode(
      mode: try string("mode", "nearest"), transformation: "asymmetric", nearest: "floor", cubic: -0.75,
      excludesOutside: false, antialiases: false)
    return [try resize(x, mode, axes: Array(0..<x.rank), scales: scales, sizes: nil, regions: nil)]
  }

  fileprivate func resize() throws -> [ONNXValue] {
    let x = try input(0)
    let isOld = opset < 11
    let mode = ResizeMode(
      mode: try string("mode", "nearest"),
      transformation: isOld ? "asymmetric" : try string("coordinate_transformation_mode", "half_pixel"),
      nearest: isOld ? "floor" : try string("nearest_mode", "round_prefer_floor"),
      cubic: Double(try float("cubic_coeff_a", -0.75)), excludesOutside: try flag("exclude_outside", false),
      antialiases: try flag("antialias", false))
    let axes = try integers("axes").map { try self.axes($0, rank: x.rank) } ?? Array(0..<x.rank)
    let scaleInput = optional(isOld ? 1 : 2).flatMap { $0.count > 0 ? $0 : nil }
    let sizes = try optional(3).flatMap { $0.count > 0 ? try $0.integers() : nil }
    let regions = mode.transformation == "tf_crop_and_resize" ? try optional(1)?.doubles() : nil
    return [try resize(x, mode, axes: axes, scales: scaleInput?.doubles(), sizes: sizes, regions: regions)]
  }

  private func resize(
    _ x: ONNXValue, _ mode: ResizeMode, axes: [Int], scales: [Double]?, sizes: [Int]?, regions: [Double]?
  ) throws -> ONNXValue {
    guard (scales ?? []).count == (scales == nil ? 0 : axes.count),
      (sizes ?? []).count == (sizes == nil ? 0 : axes.count),
      scales != nil || sizes != nil, regions.map({ $0.count == axes.count * 2 }) ?? true
    else { throw ONNXProgramError(.count(found: scales?.count ?? sizes?.count ?? 0, needed: axes.count)) }
    var (factors, outputs) = ([Double](), [Int]())
    for (index, axis) in axes.enumerated() {
      let size = x.shape[axis]
      let factor = sizes.map { Double($0[index]) / Double(max(size, 1)) } ?? scales?[index] ?? 0
      let output = sizes?[index] ?? Int(saturating: (factor * Double(size)).rounded(.down))
      guard factor.isFinite, factor > 0 || output == 0, output >= 0, size > 0 || output == 0 else {
        throw ONNXProgramError(.size(found: output, needed: "a positive scale"))
      }
      factors.append(factor)
      outputs.append(output)
    }
    if let sizes, scales == nil, try string("keep_aspect_ratio_policy", "stretch") != "stretch" {
      let isSmaller = try string("keep_aspect_ratio_policy", "stretch") == "not_larger"
      let factor = (isSmaller ? factors.min() : factors.max()) ?? 1
      factors = sizes.map { _ in factor }
      outputs = axes.map { Int(saturating: (factor * Double(x.shape[$0]) + 0.5).rounded(.down)) }
    }
    let dtype = try self.dtype(of: x)
    let outside = Double(try float("extrapolation_value", 0))
    // Axis after axis: interpolation is separable.
    var value = mode.mode == "nearest" && regions == nil ? x : try x.cast(to: x.dtype == .float64 ? .float64 : .float32)
    for (index, axis) in axes.enumerated()
    where outputs[index] != x.shape[axis] || factors[index] != 1 || regions != nil {
      var shape = value.shape
      shape[axis] = outputs[index]
      _ = try count(shape)
      let region = regions.map { ($0[index], $0[index + axes.count]) } ?? (0, 1)
      let weights = try mode.weights(size: x.shape[axis], output: outputs[index], scale: factors[index], region: region)
      if mode.mode == "nearest", regions == nil {
        let sources = value.shape.indices.map { other in
          other == axis ? weights.taps.map { $0?.first?.place ?? 0 } : Array(0..<value.shape[other])
        }
        value = try pick(value, Self.places(sources, in: value.shape), shape: shape)
      } else {
        value = try weighted(value, axis: axis, weights, shape: shape, outside: outside)
      }
    }
    if !dtype.isFloatingPoint, mode.mode != "nearest" {
      let range = Double(Int64.min)...Double(Int64.max)
      value = ONNXValue(
        shape: value.shape,
        try value.doubles().map {
          min(max($0.rounded(.toNearestOrEven), dtypeRange(dtype).lowerBound), dtypeRange(dtype).upperBound).clamped(
            range)
        })
    }
    return try value.cast(to: dtype)
  }

  private func dtypeRange(_ dtype: DType) -> ClosedRange<Double> {
    switch dtype {
    case .uint8: 0...255
    case .int8: -128...127
    case .uint16: 0...65535
    case .int16: -32768...32767
    default: -0x1p53...0x1p53
    }
  }

  private func weighted(
    _ value: ONNXValue, axis: Int, _ weights: AxisWeights, shape: [Int], outside: Double
  ) throws -> ONNXValue {
    let run = value.shape[(axis + 1)...].reduce(1, *), outer = value.shape[..<axis].reduce(1, *)
    let visitor = WeightedRows(
      taps: weights.taps, run: run, outer: outer, size: value.shape[axis], outside: outside)
    guard let elements = try Elements.acceptNumbers([value.elements], visitor) else {
      throw ONNXProgramError(.notTensor)
    }
    return ONNXValue(shape: shape, elements)
  }

  // MARK: regions

  fileprivate func alignRegions() throws -> [ONNXValue] {
    let (x, regions, owners) = (try input(0), try input(1), try input(2))
    guard x.rank == 4, regions.rank == 2, regions.shape[1] == 4, owners.count == regions.shape[0] else {
      throw ONNXProgramError(.shapesDiffer(x.shape, regions.shape))
    }
    let (height, width) = (try integer("output_height", 1), try integer("output_width", 1))
    let ratio = try integer("sampling_ratio", 0), scale = Double(try float("spatial_scale", 1))
    let takesLargest = try string("mode", "avg") == "max"
    let isCentred = try opset >= 16 && string("coordinate_transformation_mode", "half_pixel") == "half_pixel"
    let offset = isCentred ? 0.5 : 0.0
    guard (1...1 << 14).contains(height), (1...1 << 14).contains(width), (0...1 << 10).contains(ratio) else {
      throw ONNXProgramError(.badAttribute("output_height", found: "\(height)"))
    }
    let shape = [regions.shape[0], x.shape[1], height, width]
    var result = [Double](repeating: 0, count: try count(shape))
    let (values, corners) = (try x.doubles(), try regions.doubles())
    let batches = try indices(owners, size: x.shape[0])
    let (h, w) = (x.shape[2], x.shape[3])
    for (index, batch) in batches.enumerated() {
      let box = corners[(index * 4)..<(index * 4 + 4)].map { $0 * scale - offset }
      guard box.allSatisfy({ abs($0) < 0x1p30 }) else { throw ONNXProgramError(.index(index, size: regions.shape[0])) }
      let least = offset == 0 ? 1.0 : 0
      let (boxWidth, boxHeight) = (max(box[2] - box[0], least), max(box[3] - box[1], least))
      let (cellHeight, cellWidth) = (boxHeight / Double(height), boxWidth / Double(width))
      let rows = ratio > 0 ? ratio : max(1, Int(cellHeight.rounded(.up)))
      let columns = ratio > 0 ? ratio : max(1, Int(cellWidth.rounded(.up)))
      guard rows <= 1 << 14, columns <= 1 << 14, rows * columns <= 1 << 16 else {
        throw ONNXProgramError(.size(found: rows, needed: "a smaller region"))
      }
      for cell in 0..<(height * width) {
        let top = box[1] + Double(cell / width) * cellHeight, left = box[0] + Double(cell % width) * cellWidth
        var points: [[(place: Int, weight: Double)]] = []
        for row in 0..<rows {
          for column in 0..<columns {
            let y = top + (Double(row) + 0.5) * cellHeight / Double(rows)
            let x = left + (Double(column) + 0.5) * cellWidth / Double(columns)
            points.append(bilinearTaps(y, x, height: h, width: w))
          }
        }
        for channel in 0..<x.shape[1] {
          let from = (batch * x.shape[1] + channel) * h * w
          let place = (index * x.shape[1] + channel) * height * width + cell
          if takesLargest {
            // The largest of the weighted corners, as the operator's reference has it.
            result[place] = points.map { $0.map { values[from + $0.place] * $0.weight }.max() ?? 0 }.max() ?? 0
          } else {
            let sum = points.reduce(0) { $0 + $1.reduce(0) { $0 + values[from + $1.place] * $1.weight } }
            result[place] = sum / Double(points.count)
          }
        }
      }
    }
    return [try ONNXValue(shape: shape, result).cast(to: dtype(of: x))]
  }

  /// The four pixels around a place of a region, clamped at the edges; none where it lies a pixel or more outside.
  private func bilinearTaps(_ y: Double, _ x: Double, height: Int, width: Int) -> [(place: Int, weight: Double)] {
    guard height > 0, width > 0, y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return [] }
    let (y, x) = (max(y, 0), max(x, 0))
    let low = (min(Int(y), height - 1), min(Int(x), width - 1))
    let high = (min(low.0 + 1, height - 1), min(low.1 + 1, width - 1))
    let part = (low.0 == height - 1 ? 0 : y - Double(low.0), low.1 == width - 1 ? 0 : x - Double(low.1))
    return [
      (low.0 * width + low.1, (1 - part.0) * (1 - part.1)), (low.0 * width + high.1, (1 - part.0) * part.1),
      (high.0 * width + low.1, part.0 * (1 - part.1)), (high.0 * width + high.1, part.0 * part.1),
    ]
  }
}

extension Double {
  fileprivate func clamped(_ range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}

private struct WeightedRows: NumberVisitor {
  let taps: [[(place: Int, weight: Double)]?]
  let run: Int
  let outer: Int
  let size: Int
  let outside: Double

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    var result: [T] = []
    result.reserveCapacity(outer * taps.count * run)
    arrays[0].withUnsafeBufferPointer { values in
      for row in 0..<outer {
        for taps in taps {
          guard let taps else {
            result += [T](repeating: T(rounding: outside), count: run)
            continue
          }
          for column in 0..<run {
            var sum = 0.0
            for tap in taps { sum += values[(row * size + tap.place) * run + column].double * tap.weight }
            result.append(T(rounding: sum))
          }
        }
      }
    }
    return T.wrap(result)
  }
}
