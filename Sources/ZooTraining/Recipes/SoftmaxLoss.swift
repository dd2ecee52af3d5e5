import Foundation

/// Cross-entropy of a softmax, in nats.
enum SoftmaxLoss {
  /// Turns one row of logits into probabilities; gives the loss.
  static func apply(_ row: UnsafeMutableBufferPointer<Float>, truth: Int) -> Double {
    var highest = -Float.infinity
    for value in row { highest = max(highest, value) }
    var sum = 0.0
    let logit = Double(row[truth] - highest)
    for index in row.indices {
      let power = exp(Double(row[index] - highest))
      row[index] = Float(power)
      sum += power
    }
    for index in row.indices { row[index] = Float(Double(row[index]) / sum) }
    return log(sum) - logit
  }

  static func probabilities(_ logits: [Float]) -> [Float] {
    var row = logits
    _ = row.withUnsafeMutableBufferPointer { apply($0, truth: 0) }
    return row
  }

  /// Loss and whether the class came first.
  static func judge(_ logits: [Float], truth: Int) -> (loss: Double, isRight: Bool) {
    var row = logits
    let loss = row.withUnsafeMutableBufferPointer { apply($0, truth: truth) }
    return (loss, highest(logits) == truth)
  }

  /// Means over all rows.
  static func judge(_ logits: [[Float]], truths: [Int]) -> Judgement {
    var judgement = Judgement(loss: 0, score: 0)
    for (row, truth) in zip(logits, truths) {
      let (loss, isRight) = judge(row, truth: truth)
      judgement.loss += loss
      judgement.score += isRight ? 1 : 0
    }
    let count = Double(max(truths.count, 1))
    return Judgement(loss: judgement.loss / count, score: judgement.score / count)
  }

  static func highest(_ row: [Float]) -> Int {
    row.indices.max { row[$0] < row[$1] || row[$0] == row[$1] && $0 > $1 } ?? 0
  }
}
