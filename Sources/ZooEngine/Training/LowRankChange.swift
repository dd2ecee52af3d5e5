import COneDNN

/// A change of low rank to a matrix: W = W₀ + scale · B A, with A [rank, inputs] and B [outputs, rank].
///
/// Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022 (arXiv:2106.09685), section 4.1.
public struct LowRankChange: Sendable, Equatable {
  public let outputs: Int
  public let inputs: Int
  public let rank: Int
  public let scale: Float
  /// Whether the matrix stands in memory as [inputs, outputs].
  public let isTurned: Bool

  public init(outputs: Int, inputs: Int, rank: Int, scale: Float, isTurned: Bool = false) {
    self.outputs = outputs
    self.inputs = inputs
    self.rank = rank
    self.scale = scale
    self.isTurned = isTurned
  }

  /// W += scale · B A. Where B is zero every bit of W stays as it is.
  ///
  /// - Throws: ``EngineError/kernel(node:problem:)``.
  public func add(
    a: UnsafePointer<Float>, b: UnsafePointer<Float>, to weight: UnsafeMutablePointer<Float>
  ) throws(EngineError) {
    let scaled = scaled(b)
    guard scaled.contains(where: { $0 != 0 }) else { return }
    if isTurned {
      try multiply(a, isTurned: true, scaled, isTurned: true, into: weight, (inputs, outputs, rank), adds: true)
    } else {
      try multiply(scaled, isTurned: false, a, isTurned: false, into: weight, (outputs, inputs, rank), adds: true)
    }
  }

  /// dA = scale · Bᵀ dW and dB = scale · dW Aᵀ.
  ///
  /// - Throws: ``EngineError/kernel(node:problem:)``.
  public func gradients(
    of weight: UnsafePointer<Float>, a: UnsafePointer<Float>, b: UnsafePointer<Float>,
    intoA: UnsafeMutablePointer<Float>, intoB: UnsafeMutablePointer<Float>
  ) throws(EngineError) {
    let scaled = scaled(b)
    try multiply(scaled, isTurned: true, weight, isTurned: isTurned, into: intoA, (rank, inputs, outputs), adds: false)
    try multiply(weight, isTurned: isTurned, a, isTurned: true, into: intoB, (outputs, rank, inputs), adds: false)
    for index in 0..<outputs * rank { intoB[index] *= scale }
  }

  private func scaled(_ b: UnsafePointer<Float>) -> [Float] { (0..<outputs * rank).map { b[$0] * scale } }

  private func multiply(
    _ first: UnsafePointer<Float>, isTurned isFirstTurned: Bool, _ second: UnsafePointer<Float>,
    isTurned isSecondTurned: Bool, into result: UnsafeMutablePointer<Float>,
    _ size: (rows: Int, columns: Int, depth: Int), adds: Bool
  ) throws(EngineError) {
    let status = zoo_multiply_matrices(
      first, isFirstTurned ? 1 : 0, second, isSecondTurned ? 1 : 0, result, Int64(size.rows), Int64(size.columns),
      Int64(size.depth), adds ? 1 : 0)
    guard status == 0 else {
      throw .kernel(node: "low rank", problem: "the product failed with status \(status)")
    }
  }
}
