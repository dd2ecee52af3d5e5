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

/// Findings on examples that can be looked at one by one.
protocol ExampleFindings: Findings {
  /// Worst first.
  var mistakes: [JudgedMistake] { get }
}

/// An example that a network was wrong about.
struct JudgedMistake {
  /// Among those judged.
  let place: Int
  let truth: String
  let prediction: String
  /// How bad it is.
  let weight: Double
  /// Probability given to what is wrong, from 0 to 1; nil where there is none.
  var confidence: Double?
}
