import Foundation
import ZooCheckpoint
import ZooVision

/// Draws a kind of shape in random colours, place, size and rotation, over a noisy gradient, smooth at its edges.
struct ShapePainter {
  static let side = 32
  /// Points across a pixel that decide how much of it the shape covers.
  private static let samples = 4

  private typealias Colour = SIMD3<Double>

  static func draw(_ kind: ShapeKind, random: inout SeededGenerator) -> Picture {
    let (ink, from, to) = colours(&random)
    let size = Double(side)
    let radius = random.uniform(0.24...0.4) * size
    let (centreX, centreY) = (
      size / 2 + random.uniform(-0.1...0.1) * size, size / 2 + random.uniform(-0.1...0.1) * size
    )
    let (sine, cosine) = { (sin($0), cos($0)) }(random.uniform(0...(2 * .pi)))
    let direction = random.uniform(0...(2 * .pi))
    let noise = random.uniform(4...16)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(side * side * 3)
    for y in 0..<side {
      for x in 0..<side {
        let slope = 0.5 + ((Double(x) - size / 2) * cos(direction) + (Double(y) - size / 2) * sin(direction)) / size
        let ground = from + (to - from) * min(max(slope, 0), 1)
        let covered = coverage(kind, x, y) { px, py in
          let (u, v) = ((px - centreX) / radius, (py - centreY) / radius)
          return (u * cosine + v * sine, v * cosine - u * sine)
        }
        let colour = ground + (ink - ground) * covered
        for channel in 0..<3 {
          pixels.append(UInt8(min(max(colour[channel] + random.normal() * noise, 0), 255)))
        }
      }
    }
    return Picture(width: side, height: side, pixels: pixels)
  }

  /// Ink and the two ends of the ground, the ink well apart from both.
  private static func colours(_ random: inout SeededGenerator) -> (ink: Colour, from: Colour, to: Colour) {
    func any(_ random: inout SeededGenerator) -> Colour {
      Colour(random.uniform(0...255), random.uniform(0...255), random.uniform(0...255))
    }
    func apart(_ a: Colour, _ b: Colour) -> Bool { ((a - b) * (a - b)).sum() > 90 * 90 }
    let ink = any(&random)
    var ends: [Colour] = []
    while ends.count < 2 {
      let end = any(&random)
      if apart(ink, end), apart(ink, ((ends.first ?? end) + end) / 2) { ends.append(end) }
    }
    return (ink, ends[0], ends[1])
  }

  private static func coverage(
    _ kind: ShapeKind, _ x: Int, _ y: Int, _ place: (Double, Double) -> (Double, Double)
  ) -> Double {
    var inside = 0
    for row in 0..<samples {
      for column in 0..<samples {
        let (u, v) = place(
          Double(x) + (Double(column) + 0.5) / Double(samples), Double(y) + (Double(row) + 0.5) / Double(samples))
        if kind.contains(u, v) { inside += 1 }
      }
    }
    return Double(inside) / Double(samples * samples)
  }
}
