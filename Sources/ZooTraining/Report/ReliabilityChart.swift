import Foundation

/// How often a classifier is right where it is so sure, as inline SVG: the nearer to the diagonal, the better calibrated.
struct ReliabilityChart {
  let calibration: Calibration

  private static let side = 260.0
  private static let left = 50.0
  private static let bottom = 34.0
  private static let edge = 24.0

  func svg() -> String {
    let (width, height) = (Self.left + Self.side + Self.edge, Self.edge + Self.side + Self.bottom)
    var body = ""
    for step in 0...4 {
      let share = Double(step) / 4
      let (x, y) = (Self.text(place(share)), Self.text(level(share)))
      body +=
        "<line class=\"grid\" x1=\"\(Self.text(place(0)))\" x2=\"\(Self.text(place(1)))\" y1=\"\(y)\" y2=\"\(y)\"/>"
      body +=
        "<text x=\"\(Self.text(Self.left - 6))\" y=\"\(y)\" text-anchor=\"end\" dy=\"4\">\(Int(share * 100)) %</text>"
      body += "<text x=\"\(x)\" y=\"\(Self.text(height - 14))\" text-anchor=\"middle\">\(Int(share * 100)) %</text>"
    }
    let most = Double(calibration.bins.map(\.pictures).max() ?? 1)
    let column = Self.side / Double(calibration.bins.count)
    for (index, bin) in calibration.bins.enumerated() where bin.pictures > 0 {
      let share = Double(bin.pictures) / max(most, 1)
      body +=
        "<rect class=\"count\" x=\"\(Self.text(place(0) + column * Double(index)))\" width=\"\(Self.text(column - 1))\" "
        + "y=\"\(Self.text(level(share * 0.25)))\" height=\"\(Self.text(level(0) - level(share * 0.25)))\"/>"
    }
    body +=
      "<line class=\"mark\" x1=\"\(Self.text(place(0)))\" y1=\"\(Self.text(level(0)))\" x2=\"\(Self.text(place(1)))\" "
      + "y2=\"\(Self.text(level(1)))\"/>"
    let points = calibration.bins.filter { $0.pictures > 0 }.map {
      (x: Self.text(place($0.meanConfidence)), y: Self.text(level($0.accuracy)))
    }
    body += "<polyline class=\"c1\" points=\"\(points.map { "\($0.x),\($0.y)" }.joined(separator: " "))\"/>"
    body += points.map { "<circle class=\"c1\" cx=\"\($0.x)\" cy=\"\($0.y)\" r=\"3\"/>" }.joined()
    return """
      <figure class="square"><svg viewBox="0 0 \(Self.text(width)) \(Self.text(height))" role="img" \
      aria-label="Reliability">\(body)</svg></figure>
      """
  }

  private func place(_ share: Double) -> Double { Self.left + Self.side * share }
  private func level(_ share: Double) -> Double { Self.edge + Self.side * (1 - share) }
  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
