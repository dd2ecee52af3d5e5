import Foundation

/// What the demo's pictures show. Each kind is a set of points of the plane, about as large as the unit disc.
public enum ShapeKind: String, CaseIterable, Sendable {
  case circle, square, triangle, star, ring, cross, ellipse, hexagon, diamond, semicircle
  case heart, crescent, arrow

  /// What the demo's network was trained on.
  public static let known: [ShapeKind] = [
    .circle, .square, .triangle, .star, .ring, .cross, .ellipse, .hexagon, .diamond, .semicircle,
  ]
  /// What it has never seen.
  public static let unseen: [ShapeKind] = [.heart, .crescent, .arrow]

  func contains(_ x: Double, _ y: Double) -> Bool {
    let radius = (x * x + y * y).squareRoot()
    switch self {
    case .circle: return radius < 0.9
    case .square: return max(abs(x), abs(y)) < 0.78
    case .triangle: return y < 0.7 && y > -1 && abs(x) < (y + 1) * 0.56
    case .star: return Self.star(x, y, radius)
    case .ring: return radius < 0.95 && radius > 0.55
    case .cross: return max(abs(x), abs(y)) < 0.92 && min(abs(x), abs(y)) < 0.3
    case .ellipse: return x * x + y * y / 0.25 < 0.9
    case .hexagon: return max(abs(y), abs(y) / 2 + abs(x) * 0.866) < 0.8
    case .diamond: return abs(x) / 0.6 + abs(y) < 1
    case .semicircle: return radius < 0.95 && y > -0.1
    case .heart:
      let (u, v) = (x * 1.25, -y * 1.25 + 0.1)
      let inner = u * u + v * v - 1
      return inner * inner * inner - u * u * v * v * v < 0
    case .crescent: return radius < 0.95 && hypot(x - 0.42, y) > 0.72
    case .arrow:
      return x > -0.95 && x <= 0.1 && abs(y) < 0.24 || x > 0.1 && x < 0.95 && abs(y) < (0.95 - x) * 0.8
    }
  }

  /// Five points: the edge runs straight between radius 1 and radius 0.42.
  private static func star(_ x: Double, _ y: Double, _ radius: Double) -> Bool {
    let fifth = 2 * Double.pi / 5
    let turned = (atan2(x, -y) + 2 * .pi).truncatingRemainder(dividingBy: fifth)
    let angle = min(turned, fifth - turned)
    let (outer, inner, half) = (1.0, 0.42, fifth / 2)
    let edge = outer * inner * sin(half) / (outer * sin(angle) + inner * sin(half - angle))
    return radius < edge
  }
}
