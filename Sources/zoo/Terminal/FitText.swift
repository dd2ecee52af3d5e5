import ZooCheckpoint
import ZooConvert

/// All the tensors that keep weights from being a model's, grouped by prefix.
struct FitText {
  private let fit: FitReport

  init(_ fit: FitReport) { self.fit = fit }

  var text: String {
    let has = "\(fit.model) (\(fit.naming) names)"
    return
      (fit.differences.map { "differs from \(has): \($0)" }
      + section("missing", "that \(has) has and the file lacks", fit.missing)
      + section("extra", "that the file has and \(has) lacks", fit.extra)
      + section("misshapen", "of another shape than in \(has)", fit.misshapen))
      .map { $0.escapingControlCharacters() }.joined(separator: "\n")
  }

  private func section(_ title: String, _ words: String, _ groups: [FitReport.Group]) -> [String] {
    guard !groups.isEmpty else { return [] }
    let count = groups.reduce(0) { $0 + $1.entries.count }
    var lines = ["\(title): \(count) \(count == 1 ? "tensor" : "tensors") \(words)"]
    for group in groups {
      if !group.prefix.isEmpty { lines.append("  \(group.prefix)") }
      lines += group.entries.map { line($0, below: group.prefix) }
    }
    return lines
  }

  private func line(_ entry: FitReport.Entry, below prefix: String) -> String {
    let name = prefix.isEmpty ? entry.name : String(entry.name.dropFirst(prefix.count + 1))
    var line = "    \(name) \(Quantity.shape(entry.shape))"
    if let expected = entry.expected { line += ", expected \(Quantity.shape(expected))" }
    if !entry.nearest.isEmpty {
      line += "   nearest: " + entry.nearest.map { "\($0.name) \(Quantity.shape($0.shape))" }.joined(separator: " or ")
    }
    return line
  }
}
