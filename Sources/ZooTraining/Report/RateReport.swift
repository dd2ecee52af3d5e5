import Foundation

/// `rates.html`: the loss over rising learning rates, one self-contained page.
struct RateReport {
  let search: RateSearch
  let title: String
  let command: String

  private static let (width, height, left, bottom, edge) = (640.0, 320.0, 56.0, 40.0, 18.0)

  func html() -> String {
    let words =
      search.suggestion.map { "Suggested: --learning-rate \(String(format: "%.1e", $0))" }
      ?? "The loss never falls: no rate can be suggested."
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(title.escapedForHTML)</title><style>\(ReportStyle.css)</style></head><body><main>
      <h1>\(title.escapedForHTML)</h1>
      <section><h2>\(words)</h2>\(svg())<p>The smoothed loss over the learning rate, which rises with every step. A good \
      rate lies where the loss falls fast, well before it turns up.</p></section>
      <section><h2>How it was made</h2><pre>\(command.escapedForHTML)</pre></section>
      </main></body></html>

      """
  }

  private func svg() -> String {
    let losses = search.points.map(\.loss)
    guard let low = losses.min(), let high = losses.max() else { return "" }
    func x(_ rate: Double) -> String {
      let (from, to) = (log10(RateSearch.rates.lowerBound), log10(RateSearch.rates.upperBound))
      return text(Self.left + (Self.width - Self.left - Self.edge) * (log10(rate) - from) / (to - from))
    }
    func y(_ loss: Double) -> String {
      let share = (loss - low) / max(high - low, 1e-12)
      return text(Self.height - Self.bottom - (Self.height - Self.bottom - Self.edge) * share)
    }
    var body = ""
    for step in 0...4 {
      let loss = low + (high - low) * Double(step) / 4
      body +=
        "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.edge)\" y1=\"\(y(loss))\" y2=\"\(y(loss))\"/>"
      body +=
        "<text x=\"\(Self.left - 8)\" y=\"\(y(loss))\" text-anchor=\"end\" dy=\"4\">\(String(format: "%.2f", loss))</text>"
    }
    for power in -7...1 {
      body +=
        "<text x=\"\(x(pow(10, Double(power))))\" y=\"\(Self.height - 14)\" text-anchor=\"middle\">1e\(power)</text>"
    }
    if let suggestion = search.suggestion {
      let place = x(suggestion)
      body +=
        "<line class=\"mark\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Self.edge)\" y2=\"\(Self.height - Self.bottom)\"/>"
    }
    let path = search.points.map { "\(x($0.rate)),\(y($0.loss))" }.joined(separator: " ")
    return """
      <figure><svg viewBox="0 0 \(Self.width) \(Self.height)" role="img" aria-label="Loss over learning rate">\(body)\
      <polyline class="c1" points="\(path)"/></svg></figure>
      """
  }

  private func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
