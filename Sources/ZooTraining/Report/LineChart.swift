import Foundation

/// Curves over the epochs as inline SVG; colours come from the page's style sheet (`.c0`, `.c1`).
struct LineChart {
  struct Series {
    let name: String
    /// One a epoch.
    let values: [Double]
    /// Which colour it has; nil for its place among the series.
    var place: Int?
  }

  let title: String
  let series: [Series]
  /// Upper end of the axis; nil takes it from the values.
  var maximum: Double?
  var isPercent = false
  /// Epoch to mark, from 1.
  var marked: Int?

  private static let width = 560.0
  private static let height = 260.0
  private static let left = 54.0
  private static let right = 14.0
  private static let top = 14.0
  private static let bottom = 34.0

  func svg() -> String {
    let count = series.map(\.values.count).max() ?? 0
    let top = max(maximum ?? niceCeiling(series.flatMap(\.values).filter(\.isFinite).max() ?? 1), 1e-9)
    var body = ""
    for step in 0...4 {
      let value = top * Double(step) / 4
      let y = Self.text(position(value, of: top))
      body +=
        "<line class=\"grid\" x1=\"\(Self.text(Self.left))\" x2=\"\(Self.text(Self.width - Self.right))\" y1=\"\(y)\" y2=\"\(y)\"/>"
      body +=
        "<text x=\"\(Self.text(Self.left - 8))\" y=\"\(y)\" text-anchor=\"end\" dy=\"4\">\(label(value, of: top))</text>"
    }
    for epoch in epochTicks(count) {
      body +=
        "<text x=\"\(Self.text(place(epoch, of: count)))\" y=\"\(Self.text(Self.height - 12))\" text-anchor=\"middle\">\(epoch)</text>"
    }
    if let marked, marked > 0, marked <= count {
      let x = Self.text(place(marked, of: count))
      body +=
        "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Self.text(Self.top))\" y2=\"\(Self.text(Self.height - Self.bottom))\"/>"
    }
    for (index, one) in series.enumerated() {
      body += curve(one, class: "c\(one.place ?? index)", of: top, count: count)
    }
    let legend = series.enumerated().map {
      "<span class=\"key c\($0.element.place ?? $0.offset)\"></span>\($0.element.name.escapedForHTML)"
    }.joined(separator: " ")
    return """
      <figure><figcaption><b>\(title.escapedForHTML)</b> <span class="legend">\(legend)</span></figcaption>
      <svg viewBox="0 0 \(Self.text(Self.width)) \(Self.text(Self.height))" role="img" aria-label="\(title.escapedForHTML)">\(body)</svg></figure>
      """
  }

  private func curve(_ one: Series, class name: String, of top: Double, count: Int) -> String {
    let points = one.values.enumerated().filter { $0.element.isFinite }.map {
      (x: place($0.offset + 1, of: count), y: position(min($0.element, top), of: top))
    }
    let path = points.map { "\(Self.text($0.x)),\(Self.text($0.y))" }.joined(separator: " ")
    let dots =
      points.count > 40
      ? ""
      : points.map { "<circle class=\"\(name)\" cx=\"\(Self.text($0.x))\" cy=\"\(Self.text($0.y))\" r=\"2.5\"/>" }
        .joined()
    return "<polyline class=\"\(name)\" points=\"\(path)\"/>" + dots
  }

  private func place(_ epoch: Int, of count: Int) -> Double {
    let room = Self.width - Self.left - Self.right
    return count <= 1 ? Self.left + room / 2 : Self.left + room * Double(epoch - 1) / Double(count - 1)
  }

  private func position(_ value: Double, of top: Double) -> Double {
    Self.height - Self.bottom - (Self.height - Self.top - Self.bottom) * max(value, 0) / top
  }

  private func label(_ value: Double, of top: Double) -> String {
    isPercent
      ? String(format: "%.0f %%", value * 100)
      : String(
        format: top < 0.001 ? "%.1e" : top < 0.01 ? "%.4f" : top < 0.1 ? "%.3f" : top < 10 ? "%.2f" : "%.0f", value)
  }

  private func epochTicks(_ count: Int) -> [Int] {
    guard count > 1 else { return count == 1 ? [1] : [] }
    let step = max(1, Int((Double(count) / 8).rounded(.up)))
    let ticks = Array(stride(from: step, through: count, by: step))
    return step == 1 ? ticks : [1] + ticks
  }

  /// 1, 2 or 5 times a power of ten, and the quarter between.
  private func niceCeiling(_ value: Double) -> Double {
    guard value > 0 else { return 1 }
    let power = pow(10, log10(value).rounded(.down))
    let step = [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].first { $0 * power >= value } ?? 10
    return step * power
  }

  private static func text(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(format: "%.1f", value)
  }
}
