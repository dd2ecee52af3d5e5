import Foundation
import ZooCheckpoint

extension CropWindow {
  /// torchvision's `RandomResizedCrop.make_params`: ten tries for an area and a shape that fit, else the middle.
  static func random(
    width: Int, height: Int, least: Double, using random: inout SeededGenerator
  ) -> CropWindow {
    let ratios = (3.0 / 4)...(4.0 / 3)
    for _ in 0..<10 {
      let area = Double(width * height) * random.uniform(least...1)
      let ratio = exp(random.uniform(log(ratios.lowerBound)...log(ratios.upperBound)))
      let (w, h) = (Int((area * ratio).squareRoot().rounded()), Int((area / ratio).squareRoot().rounded()))
      guard 0 < w, w <= width, 0 < h, h <= height else { continue }
      return CropWindow(
        top: random.whole(below: height - h + 1), left: random.whole(below: width - w + 1), height: h, width: w)
    }
    let ratio = Double(width) / Double(height)
    let w = ratio > ratios.upperBound ? Int((Double(height) * ratios.upperBound).rounded()) : width
    let h = ratio < ratios.lowerBound ? Int((Double(width) / ratios.lowerBound).rounded()) : height
    return CropWindow(top: (height - h) / 2, left: (width - w) / 2, height: max(h, 1), width: max(w, 1))
  }

  /// The largest window of the shape of `size`, height and width, somewhere in the picture.
  static func largest(
    width: Int, height: Int, of size: [Int], using random: inout SeededGenerator
  ) -> CropWindow {
    let w = min(width, max(1, Int((Double(height * size[1]) / Double(size[0])).rounded())))
    let h = min(height, max(1, Int((Double(width * size[0]) / Double(size[1])).rounded())))
    return CropWindow(
      top: random.whole(below: height - h + 1), left: random.whole(below: width - w + 1), height: h, width: w)
  }

  /// torchvision's `RandomErasing`: 2 % to 33 % of the area, of shapes from 0.3 to 3.3; nil where ten tries don't fit.
  static func randomErasure(width: Int, height: Int, using random: inout SeededGenerator) -> CropWindow? {
    for _ in 0..<10 {
      let area = Double(width * height) * random.uniform(0.02...0.33)
      let ratio = exp(random.uniform(log(0.3)...log(3.3)))
      let (h, w) = (Int((area * ratio).squareRoot().rounded()), Int((area / ratio).squareRoot().rounded()))
      guard h < height, w < width else { continue }
      return CropWindow(
        top: random.whole(below: height - h + 1), left: random.whole(below: width - w + 1), height: h, width: w)
    }
    return nil
  }
}

extension SeededGenerator {
  mutating func whole(below count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
}
