import Foundation
import ZooCheckpoint

/// How the next tokens are chosen; names and defaults as Transformers' `generate` has them.
public struct GenerationOptions: Sendable, Equatable {
  /// New tokens at most (`max_new_tokens`).
  public var maximumTokens = 64
  /// Sequences that are followed at once; 1 for the likeliest token each time (`num_beams`).
  public var beams = 1
  /// The power of its length that a beam's score is divided by (`length_penalty`).
  public var lengthPenalty = 1.0
  /// Whether a beam search ends as soon as as many sequences have ended as there are beams (`early_stopping`).
  public var stopsEarly = false
  /// Whether tokens are drawn by their probability (`do_sample`).
  public var samples = false
  /// Divides logits before a token is drawn.
  public var temperature = 1.0
  /// Only so many likeliest tokens are drawn from; 0 for all (`top_k`).
  public var topK = 50
  /// Only the likeliest tokens that together have this probability are drawn from (`top_p`).
  public var topP = 1.0
  /// Logits of tokens that were there are divided by it, or multiplied where negative (`repetition_penalty`).
  public var repetitionPenalty: Float = 1
  /// No run of so many tokens comes twice; 0 for no such rule (`no_repeat_ngram_size`).
  public var noRepeatSize = 0
  public var seed: UInt64 = 0

  public init() {}
}

/// What is done to logits before a token is chosen.
struct LogitRules {
  let options: GenerationOptions

  /// - Parameter seen: the tokens before.
  func apply(to logits: inout [Float], seen: [Int]) {
    if options.repetitionPenalty != 1 {
      for id in Set(seen) where logits.indices.contains(id) {
        logits[id] = logits[id] < 0 ? logits[id] * options.repetitionPenalty : logits[id] / options.repetitionPenalty
      }
    }
    let size = options.noRepeatSize
    guard size > 0, seen.count + 1 >= size else { return }
    let last = seen.suffix(size - 1)
    for start in 0..<max(0, seen.count - size + 1) where seen[start..<start + size - 1].elementsEqual(last) {
      let id = seen[start + size - 1]
      if logits.indices.contains(id) { logits[id] = -.infinity }
    }
  }

  /// A token drawn by its probability.
  func draw(_ logits: [Float], _ generator: inout SeededGenerator) -> Int {
    let temperature = options.temperature
    var candidates = logits.indices.map { (id: $0, logit: Double(logits[$0]) / temperature) }
    candidates.sort { ($1.logit, $0.id) < ($0.logit, $1.id) }
    if options.topK > 0, options.topK < candidates.count { candidates.removeSubrange(options.topK...) }
    let peak = candidates.first?.logit ?? 0
    var powers = candidates.map { exp($0.logit - peak) }
    if options.topP < 1 {
      let whole = powers.reduce(0, +)
      var sum = 0.0
      // The likeliest token always stays.
      let kept = powers.firstIndex { power in
        sum += power
        return sum >= options.topP * whole
      }
      powers = Array(powers.prefix((kept ?? powers.count - 1) + 1))
    }
    var rest = generator.uniform() * powers.reduce(0, +)
    for (place, power) in powers.enumerated() {
      rest -= power
      if rest < 0 { return candidates[place].id }
    }
    return candidates[max(powers.count - 1, 0)].id
  }
}
