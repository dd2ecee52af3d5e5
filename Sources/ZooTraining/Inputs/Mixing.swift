import Foundation
import ZooCheckpoint

/// Batches whose examples are mixed with one another, inputs and targets alike, as torchvision's `v2.MixUp` and
/// `v2.CutMix` do it: each example with the one before it, by a share for the whole batch.
///
/// Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018; Yun et al., "CutMix", ICCV 2019.
struct Mixing: Codable, Sendable, Equatable {
  /// Parameters of the Beta distributions that the shares come from; 0 leaves it out. Where both are above 0, each batch
  /// takes one of them.
  var mixup = 0.0
  var cutmix = 0.0

  /// - Parameter shape: of one input; CutMix needs [C, H, W].
  func apply(to batch: inout TrainingBatch, shape: [Int], seed: UInt64) {
    guard mixup > 0 || cutmix > 0 else { return }
    var random = SeededGenerator(seed: seed, 2)
    let cuts = cutmix > 0 && (mixup <= 0 || random.uniform() < 0.5)
    let share = random.beta(cuts ? cutmix : mixup)
    guard cuts, shape.count == 3 else {
      Self.mix(&batch.inputs, share: Float(share), rows: batch.inputs.count / max(shape.reduce(1, *), 1))
      return mixTargets(&batch, share: share, shape: shape)
    }
    let (height, width) = (shape[1], shape[2])
    let box = Self.box(
      share: share, height: height, width: width, centreX: Int(random.next() % UInt64(width)),
      centreY: Int(random.next() % UInt64(height)))
    Self.cut(&batch.inputs, box: box, shape: shape)
    mixTargets(&batch, share: 1 - Double(box.columns.count * box.rows.count) / Double(width * height), shape: shape)
  }

  private func mixTargets(_ batch: inout TrainingBatch, share: Double, shape: [Int]) {
    Self.mix(&batch.targets, share: Float(share), rows: batch.inputs.count / max(shape.reduce(1, *), 1))
  }

  /// share · row + (1 - share) · the row before it, around the end.
  static func mix(_ values: inout [Float], share: Float, rows: Int) {
    guard rows > 1 else { return }
    let size = values.count / rows
    let last = Array(values[(rows - 1) * size..<rows * size])
    for row in (0..<rows).reversed() {
      for index in 0..<size {
        let before = row == 0 ? last[index] : values[(row - 1) * size + index]
        values[row * size + index] = share * values[row * size + index] + (1 - share) * before
      }
    }
  }

  typealias Box = (rows: Range<Int>, columns: Range<Int>)

  static func box(share: Double, height: Int, width: Int, centreX: Int, centreY: Int) -> Box {
    let reach = 0.5 * (1 - share).squareRoot()
    let (halfWidth, halfHeight) = (Int(reach * Double(width)), Int(reach * Double(height)))
    return (
      max(centreY - halfHeight, 0)..<min(centreY + halfHeight, height),
      max(centreX - halfWidth, 0)..<min(centreX + halfWidth, width)
    )
  }

  /// Puts the box of the row before into each row, around the end.
  static func cut(_ values: inout [Float], box: Box, shape: [Int]) {
    let (height, width, size) = (shape[1], shape[2], shape.reduce(1, *))
    let rows = values.count / size
    guard rows > 1 else { return }
    let last = Array(values[(rows - 1) * size..<rows * size])
    for row in (0..<rows).reversed() {
      for channel in 0..<shape[0] {
        for y in box.rows {
          for x in box.columns {
            let index = (channel * height + y) * width + x
            values[row * size + index] = row == 0 ? last[index] : values[(row - 1) * size + index]
          }
        }
      }
    }
  }
}

extension SeededGenerator {
  /// Of the Beta distribution with both parameters alike.
  mutating func beta(_ parameter: Double) -> Double {
    let (a, b) = (gamma(parameter), gamma(parameter))
    return a + b > 0 ? a / (a + b) : 0.5
  }

  /// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000.
  private mutating func gamma(_ shape: Double) -> Double {
    guard shape >= 1 else { return gamma(shape + 1) * pow(1 - uniform(), 1 / shape) }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = pow(1 + c * x, 3)
      guard v > 0 else { continue }
      if log(1 - uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
