import Testing

@testable import ZooCheckpoint

@Suite struct EscapingTests {
  @Test(arguments: [
    ("\u{1B}[31m", "\\u{1B}[31m"), ("a\nb\tc\rd", "a\\u{A}b\\u{9}c\\u{D}d"), ("\u{9B}2J", "\\u{9B}2J"),
    ("\u{7F}", "\\u{7F}"), ("\u{202E}txt.exe", "\\u{202E}txt.exe"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
    ("\u{200B}\u{FEFF}", "\\u{200B}\\u{FEFF}"), ("\u{2028}", "\\u{2028}"), ("\u{E000}", "\\u{E000}"),
    ("\u{E0041}", "\\u{E0041}"),
  ])
  func whatDrivesATerminalIsSpelledOut(_ text: String, _ expected: String) {
    #expect(text.escapingControlCharacters() == expected)
  }

  @Test(arguments: ["layer1.0.conv1", "Größe", "日本語", "çà", "👍🏽", "naïve \\u{1B}"])
  func plainTextStays(_ text: String) { #expect(text.escapingControlCharacters() == text) }

  @Test func errorsAreOneLine() {
    let report = ErrorReport(.badData, file: "a\u{1B}]0;x\u{7}", place: "b\nc", problem: "d\u{202E}", advice: "e\u{85}")
    #expect(report.line == "a\\u{1B}]0;x\\u{7}: b\\u{A}c: d\\u{202E}; e\\u{85}")
  }
}
