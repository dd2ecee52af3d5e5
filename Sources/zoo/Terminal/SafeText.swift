import Foundation
import ZooCheckpoint

/// A line on standard output: the one way there, for every command.
///
/// Names, labels and metadata come out of files; whatever in them would drive a terminal is spelled out here, should
/// nobody have done it before. Only new lines, tabs and the program's own styles pass.
func print(_ text: String) { Swift.print(SafeText.terminal(text)) }

/// Text that can't drive a terminal.
enum SafeText {
  /// Stands for a style until the text is printed. Private-use characters of a file are spelled out, so that none of
  /// them is taken for a style.
  enum Mark: Unicode.Scalar, CaseIterable {
    case reset = "\u{F8F0}"
    case bold = "\u{F8F1}"
    case faint = "\u{F8F2}"
    case green = "\u{F8F3}"
    case red = "\u{F8F4}"

    fileprivate var code: String {
      switch self {
      case .reset: "\u{1B}[0m"
      case .bold: "\u{1B}[1m"
      case .faint: "\u{1B}[2m"
      case .green: "\u{1B}[32m"
      case .red: "\u{1B}[31m"
      }
    }

    func around(_ text: String) -> String {
      String(Character(rawValue)) + text + String(Character(Self.reset.rawValue))
    }
  }

  static func terminal(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\t" || Mark(character: $0) != nil }
      .map { String($0).escapingControlCharacters() }
      .interleaved(
        with: text.compactMap { character in
          character == "\n" || character == "\t" ? String(character) : Mark(character: character)?.code
        })
  }

  /// JSON whose texts can't drive a terminal either: JSON itself escapes control characters below U+0020 only.
  static func json(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      guard scalar.value >= 0x7F, scalar.drivesTerminals else {
        escaped.unicodeScalars.append(scalar)
        continue
      }
      for unit in UTF16.encode(scalar)?.map(\.self) ?? [] { escaped += String(format: "\\u%04x", unit) }
    }
    return escaped
  }
}

extension SafeText.Mark {
  fileprivate init?(character: Character) {
    guard character.unicodeScalars.count == 1, let scalar = character.unicodeScalars.first else { return nil }
    self.init(rawValue: scalar)
  }
}

extension [String] {
  /// The pieces with the separators that stood between them.
  fileprivate func interleaved(with separators: [String]) -> String {
    zip(self, separators + [""]).map { $0 + $1 }.joined()
  }
}
