/// How a finished network does on the validation examples; each task has its own numbers and pictures of them.
public protocol Findings: Sendable {
  /// For the top of the report: a value, and what it is.
  func tiles(_ content: ReportContent) -> [(value: String, name: String)]
  /// HTML behind the report's curves.
  func sections(_ content: ReportContent) -> String
  /// One line for the terminal: what counts most, and the words behind it.
  ///
  /// - Parameter examples: what was judged: pictures, texts.
  func headline(examples: String) -> (value: String, words: String)
}
