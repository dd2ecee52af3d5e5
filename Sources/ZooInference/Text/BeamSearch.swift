import Foundation
import ZooEngine

/// Follows the likeliest beginnings of an answer at once, as Transformers' beam search does.
struct BeamSearch {
  let generator: TokenGenerator
  let rules: LogitRules
  private var options: GenerationOptions { generator.options }

  private struct Beam {
    var tokens: [Int]
    var score: Float
  }
  /// A beam with a further token.
  private struct Candidate {
    var beam: Int
    var token: Int
    var score: Float
  }

  func run(_ text: [Int]) throws -> [Int] {
    let count = options.beams
    let limit = generator.limit(text)
    var (state, logits) = try generator.begin([text])
    var running = [Beam(tokens: [], score: 0)]
    var finished: [Beam] = []
    for length in 1...limit {
      let candidates = best(of: logits, running, prompt: generator.prompt(text))
      let divisor = Float(pow(Double(length), options.lengthPenalty))
      var going: [Candidate] = []
      for (place, candidate) in candidates.enumerated() {
        let isEnd = generator.ends.contains(candidate.token) || length == limit
        if !isEnd {
          if going.count < count { going.append(candidate) }
        } else if place < count, !(options.stopsEarly && finished.count == count) {
          let tokens = running[candidate.beam].tokens + [candidate.token]
          finished.append(Beam(tokens: tokens, score: candidate.score / divisor))
        }
      }
      finished = Array(sorted(finished).prefix(count))
      guard length < limit, let first = going.first, !isOver(finished, bestRunning: first.score / divisor) else {
        break
      }
      running = going.map { Beam(tokens: running[$0.beam].tokens + [$0.token], score: $0.score) }
      state.select(going.map(\.beam))
      logits = try TokenGenerator.rows(state.advance(running.map { $0.tokens.suffix(1) }, lastOnly: true)[0])
    }
    return finished.first?.tokens ?? []
  }

  /// Whether no beam that goes on can better those that have ended.
  private func isOver(_ finished: [Beam], bestRunning: Float) -> Bool {
    guard finished.count == options.beams, let worst = finished.last else { return false }
    return options.stopsEarly || bestRunning <= worst.score
  }

  /// Twice as many candidates as beams, so that as many go on even where all the best end.
  private func best(of logits: [[Float]], _ running: [Beam], prompt: [Int]) -> [Candidate] {
    let wanted = max(2, 1 + generator.ends.count) * options.beams
    var candidates: [Candidate] = []
    for (beam, own) in logits.enumerated() {
      var scores = Self.logProbabilities(own)
      rules.apply(to: &scores, seen: prompt + running[beam].tokens)
      for (token, score) in Self.largest(wanted, scores) {
        candidates.append(Candidate(beam: beam, token: token, score: score + running[beam].score))
      }
    }
    candidates.sort { ($1.score, $0.beam, $0.token) < ($0.score, $1.beam, $1.token) }
    return Array(candidates.prefix(wanted))
  }

  private func sorted(_ beams: [Beam]) -> [Beam] {
    // Of equal ones the one that ended first.
    beams.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
  }

  private static func largest(_ count: Int, _ scores: [Float]) -> [(Int, Float)] {
    var best: [(token: Int, score: Float)] = []
    for (token, score) in scores.enumerated() {
      if best.count == count, let last = best.last, score <= last.score { continue }
      let place = best.firstIndex { $0.score < score } ?? best.count
      best.insert((token, score), at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }

  private static func logProbabilities(_ logits: [Float]) -> [Float] {
    let peak = logits.max() ?? 0
    let sum = logits.reduce(0.0) { $0 + exp(Double($1 - peak)) }
    let shift = peak + Float(log(sum))
    return logits.map { $0 - shift }
  }
}
