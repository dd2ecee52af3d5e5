import CKernels
import Foundation

/// How a resized pixel is weighed from its neighbours.
public enum Interpolation: String, Codable, Sendable {
  case bilinear, bicubic, nearest

  /// Reach of the kernel at scale 1.
  var support: Double { self == .bicubic ? 2 : 1 }

  /// Triangle, or Keys' cubic with a = -0.5 (Keys 1981).
  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    guard self == .bicubic else { return x < 1 ? 1 - x : 0 }
    let a = -0.5
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
  }
}

extension Picture {
  /// The picture at another size, antialiased: where it shrinks, the kernel widens with the scale, as in Pillow.
  ///
  /// Two passes, rows first, each rounded to 8 bits. Equal to Pillow's passes bit for bit; where a newer Pillow takes the
  /// columns first, photographs differ by at most one level in 255.
  public func resized(width newWidth: Int, height newHeight: Int, filter: Interpolation) -> Picture {
    guard newWidth > 0, newHeight > 0, newWidth != width || newHeight != height else { return self }
    return resized(
      width: newWidth, height: newHeight, columns: 0..<newWidth, rows: 0..<newHeight, filter: filter)
  }

  /// A window of the resized picture, without the work for what lies outside it.
  func resized(
    width newWidth: Int, height newHeight: Int, columns: Range<Int>, rows: Range<Int>, filter: Interpolation
  ) -> Picture {
    if filter == .nearest { return nearest(newWidth, newHeight, columns: columns, rows: rows) }
    let across = ResampleTaps(from: width, to: newWidth, outputs: columns, filter: filter)
    let down = ResampleTaps(from: height, to: newHeight, outputs: rows, filter: filter)
    let narrowed = resampledRows(across, rows: down.inputs)
    let shifted = down.shifted(by: -down.inputs.lowerBound)
    let count = columns.count * rows.count * 3
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: columns.count * 3) { sums in
        zoo_resample_columns_rgb(
          buffer.baseAddress, narrowed, Int64(columns.count), Int64(rows.count), shifted.bounds,
          shifted.coefficients, Int64(shifted.width), sums.baseAddress)
      }
      initialized = count
    }
    return Picture(width: columns.count, height: rows.count, pixels: result)
  }

  private func resampledRows(_ taps: ResampleTaps, rows: Range<Int>) -> [UInt8] {
    let count = rows.count * taps.outputs * 3
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      pixels.withUnsafeBufferPointer { source in
        zoo_resample_rows_rgb(
          buffer.baseAddress, source.baseAddress.map { $0 + rows.lowerBound * width * 3 }, Int64(rows.count),
          Int64(width), Int64(taps.outputs), taps.bounds, taps.coefficients, Int64(taps.width))
      }
      initialized = count
    }
  }

  private func nearest(_ newWidth: Int, _ newHeight: Int, columns: Range<Int>, rows: Range<Int>) -> Picture {
    var result: [UInt8] = []
    result.reserveCapacity(columns.count * rows.count * 3)
    for y in rows {
      let row = min(Int((Double(y) + 0.5) * Double(height) / Double(newHeight)), height - 1) * width
      for x in columns {
        let start = (row + min(Int((Double(x) + 0.5) * Double(width) / Double(newWidth)), width - 1)) * 3
        result.append(contentsOf: pixels[start..<start + 3])
      }
    }
    return Picture(width: columns.count, height: rows.count, pixels: result)
  }
}

/// Which input pixels make each output pixel of an axis, and their weights as fixed-point numbers.
///
/// The geometry is Pillow's (documented in its `Resample.c`): window centre (i + 0.5) · scale, support widened when
/// shrinking, weights normalised, 22 fractional bits. At scale 1 every weight but one is 0, so the axis stays as it is.
struct ResampleTaps {
  let outputs: Int
  /// Room for weights of each output.
  let width: Int
  /// First input and number of inputs of each output.
  private(set) var bounds: [Int32] = []
  private(set) var coefficients: [Int32]
  /// The inputs that any output needs.
  private(set) var inputs: Range<Int>

  init(from size: Int, to newSize: Int, outputs range: Range<Int>, filter: Interpolation) {
    outputs = range.count
    let scale = Double(size) / Double(newSize)
    let widening = max(scale, 1)
    let support = filter.support * widening
    width = Int(support.rounded(.up)) * 2 + 1
    coefficients = [Int32](repeating: 0, count: outputs * width)
    bounds.reserveCapacity(outputs * 2)
    var (lowest, highest) = (size, 0)
    for (row, output) in range.enumerated() {
      let centre = (Double(output) + 0.5) * scale
      let first = max(Int(centre - support + 0.5), 0)
      let end = min(Int(centre + support + 0.5), size)
      let weights = (first..<end).map { filter.weight((Double($0) - centre + 0.5) / widening) }
      let total = weights.reduce(0, +)
      bounds += [Int32(first), Int32(end - first)]
      (lowest, highest) = (min(lowest, first), max(highest, end))
      for (index, weight) in weights.enumerated() {
        let fixed = (total == 0 ? weight : weight / total) * Double(1 << 22)
        coefficients[row * width + index] = Int32(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
      }
    }
    inputs = min(lowest, highest)..<highest
  }

  func shifted(by offset: Int) -> ResampleTaps {
    var moved = self
    for index in stride(from: 0, to: bounds.count, by: 2) { moved.bounds[index] += Int32(offset) }
    moved.inputs = inputs.lowerBound + offset..<inputs.upperBound + offset
    return moved
  }
}
