import Foundation

/// Operations on sequences of tokens. Their values are [rows, channels]: a row for each token of each sequence, one
/// sequence after another; whoever runs the network knows where each begins.
public enum SequenceOperation: Sendable, Equatable {
  /// Token ids, a table [V, D]; output [rows, D], for each token a row of the table.
  case embedding(EmbeddingIndex)
  /// x [rows, C], weight [C]: each row divided by the root of its mean square, then scaled (RMSNorm, arXiv:1910.07467).
  case rootMeanSquareNormalization(epsilon: Float)
  /// a, b of one shape, number by number.
  case multiply
  /// x, every number times a factor.
  case scale(Float)
  /// Queries, keys and values, (position bias table); see ``SequenceAttention``.
  case attention(SequenceAttention)
  /// x [rows, C]; output [sequences, C], of each sequence one token.
  case select(SequenceToken)
}

/// What an embedding table's rows stand for.
public enum EmbeddingIndex: Sendable, Equatable {
  case token
  /// A token's place in its sequence, from 0, plus `offset`.
  case position(offset: Int)
  /// The first text or the second.
  case tokenType
}

public enum SequenceToken: Sendable, Equatable {
  case first, last
}

/// Multi-head attention of a sequence's tokens to those of the same sequence or of another:
/// softmax(scale · Q Kᵀ + bias) V (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).
///
/// Inputs: queries [rows, heads · width], keys and values [rows of the other sequence, heads · width], each head by head;
/// the position bias table [buckets, heads] where there is one. Output: [rows, heads · width].
public struct SequenceAttention: Sendable, Equatable {
  public var heads: Int
  /// Multiplies the products of queries and keys.
  public var scale: Float
  /// Whether a token sees those before it alone, and itself.
  public var isCausal: Bool
  /// Whether keys and values are an encoder's: they stay as they are while the decoder goes on.
  public var isCross: Bool
  public var positions: RelativePositions?

  public init(
    heads: Int, scale: Float = 1, isCausal: Bool = false, isCross: Bool = false, positions: RelativePositions? = nil
  ) {
    self.heads = heads
    self.scale = scale
    self.isCausal = isCausal
    self.isCross = isCross
    self.positions = positions
  }
}

/// T5's position bias: a number for each head and for each bucket of distances (Raffel et al. 2020, arXiv:1910.10683,
/// section 2.1).
public struct RelativePositions: Sendable, Equatable {
  public var buckets: Int
  /// From here on, all distances are in one bucket.
  public var maximumDistance: Int
  /// Whether keys behind the query have buckets of their own, half of them; else they are in that of distance 0.
  public var isBidirectional: Bool

  public init(buckets: Int, maximumDistance: Int, isBidirectional: Bool) {
    self.buckets = buckets
    self.maximumDistance = maximumDistance
    self.isBidirectional = isBidirectional
  }

  /// The bucket of a key `offset` places behind its query, negative for one before it.
  ///
  /// Half of the buckets are for one distance each, the others for ranges that grow by a constant factor.
  public func bucket(of offset: Int) -> Int {
    let count = isBidirectional ? buckets / 2 : buckets
    let first = isBidirectional && offset > 0 ? count : 0
    let distance = isBidirectional ? abs(offset) : max(0, -offset)
    let exact = count / 2
    guard distance >= exact else { return first + distance }
    let growth = log(Float(distance) / Float(exact)) / log(Float(maximumDistance) / Float(exact))
    return first + min(exact + Int(growth * Float(count - exact)), count - 1)
  }
}

extension Node {
  func outputShape(of operation: SequenceOperation, _ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    if case .embedding = operation {
      guard operands.count == 2, operands[1].count == 2 else {
        throw .rank(node: name, expected: 2, found: operands.last ?? [])
      }
      return [x.first ?? 0, operands[1][1]]
    }
    guard x.count == 2 else { throw .rank(node: name, expected: 2, found: x) }
    switch operation {
    case .embedding, .scale: return x
    case .rootMeanSquareNormalization:
      guard operands.count == 2, operands[1] == [x[1]] else {
        throw .mismatch(node: name, what: "weight", expected: [x[1]], found: operands.last ?? [])
      }
      return x
    case .multiply:
      guard operands.count == 2, operands[0] == operands[1] else {
        throw .mismatch(node: name, what: "factors", expected: x, found: operands.last ?? [])
      }
      return x
    case .attention(let attention): return try outputShape(of: attention, operands)
    case .select: return [1, x[1]]
    }
  }

  private func outputShape(of attention: SequenceAttention, _ operands: [[Int]]) throws(GraphError) -> [Int] {
    let x = operands[0]
    guard attention.heads > 0, x[1] % attention.heads == 0 else {
      throw .mismatch(node: name, what: "channels, a multiple of", expected: [attention.heads], found: [x[1]])
    }
    guard operands.count >= 3, operands[1] == operands[2], operands[1].count == 2, operands[1][1] == x[1] else {
      throw .mismatch(
        node: name, what: "keys and values", expected: [x[1]], found: operands.dropFirst().flatMap { $0 })
    }
    let tables = attention.positions.map { [[$0.buckets, attention.heads]] } ?? []
    guard Array(operands.dropFirst(3)) == tables else {
      throw .mismatch(
        node: name, what: "position bias table", expected: tables.flatMap { $0 },
        found: operands.dropFirst(3).flatMap { $0 })
    }
    return x
  }
}
