import Foundation
import ZooCheckpoint
import ZooEngine

/// Goes on with sequences of tokens, one token after another, with a network that gives the logits of the next.
public struct TokenGenerator: Sendable {
  let plan: SequencePlan
  let options: GenerationOptions
  /// Tokens that end a sequence.
  let ends: Set<Int>
  /// The token that a decoder's answer begins with.
  let start: Int
  private var rules: LogitRules { LogitRules(options: options) }

  public init(plan: SequencePlan, options: GenerationOptions, ends: Set<Int>, start: Int = 0) {
    self.plan = plan
    self.options = options
    self.ends = ends
    self.start = start
  }

  /// The tokens that follow each of some texts, or answer them, the one that ends it included.
  ///
  /// - Parameter onToken: called with a text's number and its next token as soon as that is known; not in a beam search.
  /// - Throws: `EngineError`.
  public func generate(_ texts: [[Int]], onToken: (Int, Int) throws -> Void = { _, _ in }) throws -> [[Int]] {
    guard !texts.isEmpty, options.maximumTokens > 0 else { return texts.map { _ in [] } }
    guard options.beams == 1 else {
      return try texts.map { try BeamSearch(generator: self, rules: rules).run($0) }
    }
    var (state, logits) = try begin(texts)
    var active = Array(texts.indices)
    var made = texts.map { _ in [Int]() }
    var generators = texts.indices.map { SeededGenerator(seed: options.seed, $0) }
    while true {
      var going: [Int] = []
      for (row, text) in active.enumerated() {
        var own = logits[row]
        rules.apply(to: &own, seen: prompt(texts[text]) + made[text])
        let next = options.samples ? rules.draw(own, &generators[text]) : Self.largest(own)
        made[text].append(next)
        try onToken(text, next)
        if !ends.contains(next), made[text].count < limit(texts[text]) { going.append(row) }
      }
      guard !going.isEmpty else { return made }
      if going.count < active.count { state.select(going) }
      active = going.map { active[$0] }
      logits = try Self.rows(state.advance(active.map { made[$0].suffix(1) }, lastOnly: true)[0])
    }
  }

  /// Runs what is there before the first token; gives the logits of that, a row a text.
  func begin(_ texts: [[Int]]) throws -> (SequenceState, [[Float]]) {
    let state =
      plan.hasDecoder
      ? try SequenceState(plan, answering: SequenceInput(ids: texts)) : SequenceState(plan, sequences: texts.count)
    let logits = try state.advance(texts.map(prompt), lastOnly: true)[0]
    return (state, try Self.rows(logits))
  }

  /// What the new tokens follow.
  func prompt(_ text: [Int]) -> [Int] { plan.hasDecoder ? [start] : text }

  /// New tokens that a text can get.
  func limit(_ text: [Int]) -> Int {
    guard let longest = plan.maximumLength else { return options.maximumTokens }
    return max(1, min(options.maximumTokens, longest - prompt(text).count))
  }

  static func rows(_ logits: FloatTensor) throws -> [[Float]] {
    let (values, columns) = (try logits.values(), logits.shape[1])
    return (0..<logits.shape[0]).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
  }

  /// The first of the largest.
  private static func largest(_ logits: [Float]) -> Int {
    logits.withUnsafeBufferPointer { values in
      var best = 0
      for index in values.indices where values[index] > values[best] { best = index }
      return best
    }
  }
}
