import Foundation
import ZooConvert

/// What `verify --reference` says.
struct ReferenceText {
  private let comparison: ReferenceComparison

  init(_ comparison: ReferenceComparison) { self.comparison = comparison }

  var text: String {
    var lines = [summary]
    let held = comparison.layers.prefix { $0.holds }
    if let worst = held.max(by: { $0.departure < $1.departure }), !comparison.holds {
      let count = held.count == 1 ? "1 layer holds" : "\(held.count) layers hold"
      lines.append(
        CheckLine(continuing: "before", "\(count), the worst within \(Self.share(worst.departure)) (\(worst.name))"))
    }
    if let cause = comparison.cause {
      let place = cause.layer == comparison.firstDeparture?.module ? "" : "\(cause.layer): "
      let left = cause.kind == .accumulation ? "" : "; with that it holds within \(Self.share(cause.remaining))"
      lines.append(CheckLine(continuing: "cause", place + cause.words + left))
    } else if !comparison.holds {
      lines.append(CheckLine(continuing: "cause", "none of the known ones"))
    }
    if let output = comparison.layers.last, output.name == "output", !output.holds {
      lines.append(CheckLine(continuing: "output", "departs by \(Self.share(output.departure)) of its largest value"))
    }
    return lines.map(\.description).joined(separator: "\n")
  }

  private var summary: CheckLine {
    let layers = comparison.layers
    guard let first = comparison.firstDeparture else {
      let worst = layers.max { $0.departure < $1.departure }
      let place = worst.map { ", the worst within \(Self.share($0.departure)) (\($0.name))" } ?? ""
      return CheckLine("outputs", holds: true, "\(layers.count) layers agree with the reference\(place)")
    }
    let here = first.name == "output" || first.name.hasPrefix(first.module) ? "" : " (here \(first.module))"
    var words = "\(first.name)\(here) is the first of \(layers.count) layers to depart"
    if first.departure.isFinite {
      words += ", by \(Self.share(first.departure)) of its largest value"
    } else if first.shape.reduce(1, *) != first.referenceShape.reduce(1, *) {
      words += ": its shape is \(Quantity.shape(first.shape)), the reference's \(Quantity.shape(first.referenceShape))"
    } else {
      words += ": it is not a number where the reference is one"
    }
    return CheckLine("outputs", holds: false, words)
  }

  private static func share(_ value: Double) -> String { String(format: "%.2g", value) }
}
