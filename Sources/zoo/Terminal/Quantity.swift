import Foundation
import ZooTraining

/// Numbers as people read them.
enum Quantity {
  /// 1,000-based, as disks and downloads are sold: `102.5 MB`.
  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["bytes", "kB", "MB", "GB"] {
      if value < 999.95 || unit == "GB" {
        return unit == "bytes" ? "\(count) \(unit)" : String(format: "%.1f %@", value, unit)
      }
      value /= 1000
    }
    return "\(count) bytes"
  }

  /// `25.56 M`.
  static func count(_ count: Int) -> String {
    switch count {
    case 1_000_000_000...: String(format: "%.2f B", Double(count) / 1e9)
    case 1_000_000...: String(format: "%.2f M", Double(count) / 1e6)
    case 10_000...: String(format: "%.1f k", Double(count) / 1e3)
    default: String(count)
    }
  }

  /// With a fixed number of decimals: `4.09`.
  static func decimals(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }

  /// `93.3 %` of a share from 0 to 1.
  static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

  /// A share in percent, any other number with four digits; at least `width` characters before the unit.
  static func score(_ score: Double, _ metric: Metric, width: Int = 0) -> String {
    let text = metric.isShare ? decimals(score * 100, 1) : String(format: "%.4g", score)
    return String(repeating: " ", count: max(0, width - text.count)) + text + (metric.isShare ? " %" : "")
  }

  static func seconds(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    return seconds < 1 ? String(format: "%.0f ms", seconds * 1000) : String(format: "%.2f s", seconds)
  }

  /// `45 s`, `3 min 20 s`, `2 h 5 min`.
  static func wait(_ seconds: Double) -> String {
    guard seconds < 360_000 else { return "days" }
    let whole = Int(seconds.rounded(.up))
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(whole % 60) s"
    default: return "\(whole / 3600) h \(whole / 60 % 60) min"
    }
  }

  static func shape(_ shape: [Int]) -> String { "[" + shape.map(String.init).joined(separator: ", ") + "]" }
}
