/// What went wrong, where, and what to do next: the one shape in which every error of zoo reaches a person.
///
/// Each module has its own error enum whose cases carry the place they happened at; it conforms to
/// ``ReportableError`` in a file of its own, where the words for people are.
public struct ErrorReport: Sendable, Equatable {
  /// What sort of failure it is; the command line turns it into an exit code (sysexits.h).
  public enum Kind: Int32, Sendable {
    case checkFailed = 1
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case cannotCreate = 73
    case inputOutput = 74
    case interrupted = 130
  }

  public var kind: Kind
  /// The file, as the user named it; nil when no file is involved.
  public var file: String?
  /// Where in the file: a byte offset, a tensor name, a line.
  public var place: String?
  /// What was found and what was expected, without a final full stop.
  public var problem: String
  /// What to do next.
  public var advice: String?

  public init(
    _ kind: Kind, file: String? = nil, place: String? = nil, problem: String, advice: String? = nil
  ) {
    self.kind = kind
    self.file = file
    self.place = place
    self.problem = problem
    self.advice = advice
  }

  /// One line, without terminal control characters: `resnet50.pth: at byte 1204: … ; …`.
  public var line: String {
    var parts: [String] = []
    if let file { parts.append(file) }
    if let place { parts.append(place) }
    parts.append(problem)
    let sentence = parts.joined(separator: ": ") + (advice.map { "; " + $0 } ?? "")
    return sentence.escapingControlCharacters()
  }
}

/// An error that can say what happened in words.
public protocol ReportableError: Error {
  var report: ErrorReport { get }
}

extension String {
  /// The text with control characters, bidirectional overrides and their kin spelled as `\u{1B}`, so that a name out of
  /// a file can't drive a terminal.
  public func escapingControlCharacters() -> String {
    guard unicodeScalars.contains(where: \.drivesTerminals) else { return self }
    var escaped = ""
    for scalar in unicodeScalars {
      if scalar.drivesTerminals {
        escaped += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      } else {
        escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension Unicode.Scalar {
  /// Whether printing it may do more than show a sign: controls, bidirectional overrides, invisible format characters,
  /// line separators, private use.
  package var drivesTerminals: Bool {
    if value < 0x7F { return value < 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: return true
    default: return false
    }
  }
}
