import Foundation

/// What is left to say of texts' tokens, which are too many to look at one by one.
struct JudgedTokens: Findings {
  /// nil where no epoch was run.
  let best: EpochRecord?

  private var perplexity: String { String(format: "%.2f", exp(best?.validationLoss ?? 0)) }

  func tiles(_ content: ReportContent) -> [(value: String, name: String)] {
    [
      (HTMLReport.percent(best?.validationScore ?? 0), "of validation \(content.examples) told"),
      (perplexity, "perplexity"),
    ]
  }

  func sections(_ content: ReportContent) -> String { "" }

  func headline(examples: String) -> (value: String, words: String) {
    ("perplexity \(perplexity)", ", \(HTMLReport.percent(best?.validationScore ?? 0)) of the validation tokens told")
  }
}
