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
  /// Two passes, rows first, each rounded to 8 bits. Equal to Pillow's within one level in 255.
  public func resized(width newWidth: Int, height newHeight: Int, filter: Interpolation) -> Picture {
    guard newWidth > 0, newHeight > 0, newWidth != width || newHeight != height else { return self }
    if filter == .nearest { return nearest(newWidth, newHeight) }
    var result = pixels
    if newWidth != width {
      let taps = ResampleTaps(from: width, to: newWidth, filter: filter)
      result = resample(
        result, taps, lines: height, pixelStep: 3, lineStep: width * 3, outLineStep: newWidth * 3,
        count: newWidth * height * 3)
    }
    if newHeight != height {
      let taps = ResampleTaps(from: height, to: newHeight, filter: filter)
      result = resample(
        result, taps, lines: newWidth, pixelStep: newWidth * 3, lineStep: 3, outLineStep: 3,
        count: newWidth * newHeight * 3)
    }
    return Picture(width: newWidth, height: newHeight, pixels: result)
  }

  private func resample(
    _ source: [UInt8], _ taps: ResampleTaps, lines: Int, pixelStep: Int, lineStep: Int, outLineStep: Int, count: Int
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      zoo_resample_rgb(
        buffer.baseAddress, source, Int64(lines), Int64(taps.outputs), Int64(pixelStep), Int64(lineStep),
        Int64(pixelStep),
        Int64(outLineStep), taps.bounds, taps.coefficients, Int64(taps.width))
      initialized = count
    }
  }

  private func nearest(_ newWidth: Int, _ newHeight: Int) -> Picture {
    var result: [UInt8] = []
    result.reserveCapacity(newWidth * newHeight * 3)
    for y in 0..<newHeight {
      let row = min(Int((Double(y) + 0.5) * Double(height) / Double(newHeight)), height - 1) * width
      for x in 0..<newWidth {
        let start = (row + min(Int((Double(x) + 0.5) * Double(width) / Double(newWidth)), width - 1)) * 3
        result.append(contentsOf: pixels[start..<start + 3])
      }
    }
    return Picture(width: newWidth, height: newHeight, pixels: result)
  }
}

/// Which input pixels make each output pixel of an axis, and their weights as fixed-point numbers.
///
/// The geometry is Pillow's (documented in its `Resample.c`): window centre (i + 0.5) · scale, support widened when
/// shrinking, weights normalised, 22 fractional bits.
struct ResampleTaps {
  let outputs: Int
  /// Room for weights of each output.
  let width: Int
  /// First input and number of inputs of each output.
  private(set) var bounds: [Int32] = []
  private(set) var coefficients: [Int32]

  init(from inputs: Int, to outputs: Int, filter: Interpolation) {
    self.outputs = outputs
    let scale = Double(inputs) / Double(outputs)
    let widening = max(scale, 1)
    let support = filter.support * widening
    width = Int(support.rounded(.up)) * 2 + 1
    coefficients = [Int32](repeating: 0, count: outputs * width)
    bounds.reserveCapacity(outputs * 2)
    for output in 0..<outputs {
      let centre = (Double(output) + 0.5) * scale
      let first = max(Int(centre - support + 0.5), 0)
      let end = min(Int(centre + support + 0.5), inputs)
      let weights = (first..<end).map { filter.weight((Double($0) - centre + 0.5) / widening) }
      let total = weights.reduce(0, +)
      bounds += [Int32(first), Int32(end - first)]
      for (index, weight) in weights.enumerated() {
        let fixed = (total == 0 ? weight : weight / total) * Double(1 << 22)
        coefficients[output * width + index] = Int32(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
      }
    }
  }
}
