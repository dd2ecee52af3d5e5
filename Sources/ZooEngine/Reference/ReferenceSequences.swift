import Foundation
import ZooGraph

/// Operations on one sequence, as their definitions read.
enum ReferenceSequences {
  static func output(of operation: SequenceOperation, _ inputs: [ReferenceValue]) -> [Double] {
    let x = inputs[0]
    let columns = x.shape.last ?? 1
    switch operation {
    case .embedding(let index):
      let (table, width) = (inputs[1].values, inputs[1].shape[1])
      return x.values.indices.flatMap { place -> ArraySlice<Double> in
        let row =
          switch index {
          case .token: Int(x.values[place])
          case .position(let offset): place + offset
          case .tokenType: 0
          }
        return table[row * width..<(row + 1) * width]
      }
    case .rootMeanSquareNormalization(let epsilon):
      return rows(x).flatMap { row in
        let square = row.reduce(0) { $0 + $1 * $1 } / Double(columns)
        return zip(row, inputs[1].values).map { $0 / (square + Double(epsilon)).squareRoot() * $1 }
      }
    case .multiply: return zip(x.values, inputs[1].values).map(*)
    case .scale(let factor): return x.values.map { $0 * Double(factor) }
    case .attention(let attention): return attend(attention, inputs)
    case .select(let token): return (token == .first ? rows(x).first : rows(x).last) ?? []
    }
  }

  private static func rows(_ x: ReferenceValue) -> [[Double]] {
    let columns = max(x.shape.last ?? 1, 1)
    return stride(from: 0, to: x.values.count, by: columns).map { Array(x.values[$0..<$0 + columns]) }
  }

  private static func attend(_ attention: SequenceAttention, _ inputs: [ReferenceValue]) -> [Double] {
    let (queries, keys, values) = (rows(inputs[0]), rows(inputs[1]), rows(inputs[2]))
    let width = (queries.first?.count ?? 0) / attention.heads
    return queries.enumerated().flatMap { place, query in
      (0..<attention.heads).flatMap { head -> [Double] in
        let part = head * width..<(head + 1) * width
        let seen = attention.isCausal ? min(place + 1, keys.count) : keys.count
        var products = (0..<seen).map { key in
          Double(attention.scale) * zip(query[part], keys[key][part]).reduce(0) { $0 + $1.0 * $1.1 }
        }
        if let positions = attention.positions {
          for key in 0..<seen {
            products[key] += inputs[3].values[positions.bucket(of: key - place) * attention.heads + head]
          }
        }
        let peak = products.max() ?? 0
        let powers = products.map { exp($0 - peak) }
        let sum = powers.reduce(0, +)
        return part.map { column in
          zip(powers, values).reduce(0) { $0 + $1.0 * $1.1[column] } / sum
        }
      }
    }
  }
}
