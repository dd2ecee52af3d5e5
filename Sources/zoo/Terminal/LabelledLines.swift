import Foundation

/// Lines that begin with what they are about: `tensors  161`.
struct LabelledLines: CustomStringConvertible {
  let description: String

  init(_ lines: [(label: String, text: String)]) {
    description = lines.map { Terminal.faint(Self.column($0.label)) + $0.text.escapingControlCharacters() }
      .joined(separator: "\n")
  }

  /// A label as wide as all of them.
  static func column(_ label: String) -> String { label.padding(toLength: 9, withPad: " ", startingAt: 0) }
}
