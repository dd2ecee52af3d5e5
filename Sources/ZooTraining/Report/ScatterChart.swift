import Foundation

/// Points as inline SVG, with the line that they would lie on if all were right.
struct ScatterChart {
  enum Line {
    /// Where both numbers are the same; both axes then have one range.
    case diagonal
    /// Where the upward number is 0.
    case zero
  }

  let title: String
  /// What the axes are.
  let across: String
  let up: String
  let points: [(x: Double, y: Double)]
  let line: Line

  /// More are thinned out evenly: a page has to stay small.
  private static let most = 2000
  private static let (width, height, left, right, top, bottom) = (560.0, 340.0, 62.0, 16.0, 24.0, 46.0)

  func svg() -> String {
    let (xs, ys) = (points.map(\.x).filter(\.isFinite), points.map(\.y).filter(\.isFinite))
    let horizontal: Axis
    let vertical: Axis
    switch line {
    case .diagonal:
      horizontal = Axis(xs + ys)
      vertical = horizontal
    case .zero: (horizontal, vertical) = (Axis(xs), Axis(ys + [0]))
    }
    func x(_ value: Double) -> String { Self.text(Self.left + horizontal.share(value) * Self.room.width) }
    func y(_ value: Double) -> String { Self.text(Self.top + (1 - vertical.share(value)) * Self.room.height) }
    var body = ""
    for tick in vertical.ticks {
      body += "<line class=\"grid\" x1=\"\(Self.text(Self.left))\" x2=\"\(Self.text(Self.width - Self.right))\" "
      body += "y1=\"\(y(tick))\" y2=\"\(y(tick))\"/><text x=\"\(Self.text(Self.left - 8))\" y=\"\(y(tick))\" "
      body += "text-anchor=\"end\" dy=\"4\">\(vertical.label(tick))</text>"
    }
    for tick in horizontal.ticks {
      body += "<text x=\"\(x(tick))\" y=\"\(Self.text(Self.height - Self.bottom + 18))\" "
      body += "text-anchor=\"middle\">\(horizontal.label(tick))</text>"
    }
    body += "<text x=\"\(Self.text(Self.width - Self.right))\" y=\"\(Self.text(Self.height - 8))\" "
    body += "text-anchor=\"end\">\(across.escapedForHTML) →</text>"
    body += "<text x=\"4\" y=\"12\">↑ \(up.escapedForHTML)</text>"
    let (first, last) = (horizontal.range.lowerBound, horizontal.range.upperBound)
    let ends = line == .diagonal ? (first, last) : (0, 0)
    body += "<line class=\"mark\" x1=\"\(x(first))\" y1=\"\(y(ends.0))\" x2=\"\(x(last))\" y2=\"\(y(ends.1))\"/>"
    let every = max(1, (points.count + Self.most - 1) / Self.most)
    for (place, point) in points.enumerated() where place % every == 0 && point.x.isFinite && point.y.isFinite {
      body += "<circle class=\"c1 point\" cx=\"\(x(point.x))\" cy=\"\(y(point.y))\" r=\"3.5\"/>"
    }
    return """
      <figure><figcaption><b>\(title.escapedForHTML)</b></figcaption>
      <svg viewBox="0 0 \(Self.text(Self.width)) \(Self.text(Self.height))" role="img" \
      aria-label="\(title.escapedForHTML)">\(body)</svg></figure>
      """
  }

  private static var room: (width: Double, height: Double) { (width - left - right, height - top - bottom) }
  private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

  /// A range that holds all values, with round numbers to mark.
  struct Axis {
    let range: ClosedRange<Double>
    let ticks: [Double]

    init(_ values: [Double]) {
      let (low, high) = (values.min() ?? 0, values.max() ?? 1)
      let spread = high > low ? high - low : max(abs(high), 1)
      let rough = spread / 5
      let power = pow(10, log10(rough).rounded(.down))
      let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
      let first = (low / step).rounded(.down)
      let last = max((high / step).rounded(.up), first + 1)
      range = first * step...last * step
      ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    }

    func share(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

    func label(_ tick: Double) -> String { String(format: "%.4g", abs(tick) < 1e-9 * abs(range.upperBound) ? 0 : tick) }
  }
}
