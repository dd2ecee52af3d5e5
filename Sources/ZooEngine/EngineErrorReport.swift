import ZooCheckpoint

extension EngineError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .missingWeight(let name):
      ErrorReport(
        .badData, place: "tensor \(name)", problem: "is missing", advice: "zoo verify lists all that a model lacks")
    case .weightShape(let name, let expected, let found):
      ErrorReport(.badData, place: "tensor \(name)", problem: "expected shape \(expected), found \(found)")
    case .inputShape(let expected, let found):
      ErrorReport(.badData, problem: "the network is compiled for an input of \(expected), found \(found)")
    case .unsupported(let node, let problem): ErrorReport(.badData, place: node, problem: problem)
    case .kernel(let node, let problem): ErrorReport(.unavailable, place: node, problem: "oneDNN: \(problem)")
    case .tooLarge(let shape):
      ErrorReport(.badData, problem: "an input of \(shape) needs more memory than can be addressed")
    case .sequenceLength(let found, let limit):
      found == 0
        ? ErrorReport(.badData, problem: "a text has no tokens")
        : ErrorReport(
          .badData, problem: "a text has \(found) tokens, and the network takes \(limit ?? found)",
          advice: "shorten the text")
    case .noSuchRow(let node, let index, let rows):
      ErrorReport(
        .badData, place: node, problem: "has \(rows) rows, and number \(index) is asked for",
        advice: "use the tokenizer that belongs to the model")
    }
  }
}
