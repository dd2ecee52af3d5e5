import Foundation

/// What the standard streams are connected to.
enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1
  static let isError = isatty(STDERR_FILENO) == 1

  /// Colour is for people: off when piped, with NO_COLOR (https://no-color.org) or on a dumb terminal.
  static let hasColour: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isOutput && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }()

  /// Columns of the window; unlimited when piped.
  static var width: Int {
    guard isOutput || isError else { return .max }
    var size = winsize()
    let stream = isOutput ? STDOUT_FILENO : STDERR_FILENO
    guard ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static func bold(_ text: String) -> String { hasColour ? SafeText.Mark.bold.around(text) : text }
  static func faint(_ text: String) -> String { hasColour ? SafeText.Mark.faint.around(text) : text }
  static func green(_ text: String) -> String { hasColour ? SafeText.Mark.green.around(text) : text }
  static func red(_ text: String) -> String { hasColour ? SafeText.Mark.red.around(text) : text }

  /// A line on standard error, for people; its text can't drive the terminal.
  static func note(_ text: String) {
    FileHandle.standardError.write(Data((SafeText.terminal(text) + "\n").utf8))
  }
}
