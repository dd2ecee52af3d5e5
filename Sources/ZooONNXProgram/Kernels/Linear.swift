import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Products of matrices.
  static let linear: [String: Kernel] = [
    "MatMul": { [try $0.matmul($0.input(0), $0.input(1), isConstant: $0.isConstant(1))] },
    "Gemm": { try $0.gemm() },
    "Einsum": { try $0.einsum() },
    "Det": { try $0.determinant() },
  ]
}

/// Multiplies matrices in plain loops, for the types that oneDNN isn't asked for.
private struct PlainProduct: NumberVisitor {
  let m: Int, k: Int, n: Int
  /// Where each product's matrices start.
  let starts: [(a: Int, b: Int)]

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    var result = [T](repeating: .zero, count: starts.count * m * n)
    result.withUnsafeMutableBufferPointer { result in
      for (index, start) in starts.enumerated() {
        for row in 0..<m {
          let target = (index * m + row) * n
          for inner in 0..<k {
            let factor = arrays[0][start.a + row * k + inner]
            let source = start.b + inner * n
            for column in 0..<n {
              result[target + column] = .sum(result[target + column], .product(factor, arrays[1][source + column]))
            }
          }
        }
      }
    }
    return T.wrap(result)
  }
}

extension KernelCall {
  /// NumPy's matmul: the last two axes multiply, the others broadcast, a vector is a row on the left and a column on the
  /// right.
  ///
  /// - Parameter isConstant: whether `b` is the same in every run, so that it is packed once.
  func matmul(
    _ a: ONNXValue, _ b: ONNXValue, isConstant: Bool = false, transposesB: Bool = false, bias: [Float]? = nil
  ) throws -> ONNXValue {
    let dtype = try self.dtype(of: a)
    guard a.rank > 0, b.rank > 0, b.dtype == dtype else {
      throw ONNXProgramError(.dtype(found: b.dtype, needed: "\(dtype.name) matrices"))
    }
    let left = a.rank == 1 ? a.reshaped([1] + a.shape) : a
    let right = b.rank == 1 ? b.reshaped(b.shape + [1]) : b
    let (m, k) = (left.shape[left.rank - 2], left.shape[left.rank - 1])
    let (inner, n) = (right.shape[right.rank - (transposesB ? 1 : 2)], right.shape[right.rank - (transposesB ? 2 : 1)])
    guard inner == k else { throw ONNXProgramError(.shapesDiffer(a.shape, b.shape)) }
    let batch = try broadcastShape([Array(left.shape.dropLast(2)), Array(right.shape.dropLast(2))])
    let count = try self.count(batch + [m, n], size: dtype.size)
    var shape = batch
    if a.rank > 1 { shape.append(m) }
    if b.rank > 1 { shape.append(n) }
    if count == 0 || k == 0 {
      return try ONNXValue(shape: shape, (0..<count).map { bias?[$0 % n] ?? Float(0) }).cast(to: dtype)
    }
    if dtype == .float32 || dtype.isHalf {
      let result = try nativeProduct(
        left.floats(), left.shape, right.floats(), right.shape, batch, transposesB: transposesB,
        isConstant: isConstant, bias: bias)
      return try ONNXValue(shape: shape, result).cast(to: dtype)
    }
    guard !transposesB else {
      return try matmul(a, transposed(b, Array(0..<(b.rank - 2)) + [b.rank - 1, b.rank - 2]))
    }
    let leftStarts = try starts(left.shape, batch), rightStarts = try starts(right.shape, batch)
    let product = PlainProduct(
      m: m, k: k, n: n, starts: zip(leftStarts, rightStarts).map { (a: $0 * m * k, b: $1 * k * n) })
    guard let result = try Elements.acceptNumbers([left.elements, right.elements], product) else {
      throw ONNXProgramError(.dtype(found: dtype, needed: "numbers"))
    }
    return ONNXValue(shape: shape, result)
  }

  /// Which matrix of a value each product of the batch takes.
  private func starts(_ shape: [Int], _ batch: [Int]) throws -> [Int] {
    let own = Array(shape.dropLast(2))
    let strides = try broadcastStrides(own, to: batch)
    var starts = [0]
    for (axis, size) in batch.enumerated() {
      starts = starts.flatMap { start in (0..<size).map { start + $0 * strides[axis] } }
    }
    return starts
  }

  private func nativeProduct(
    _ a: [Float], _ aShape: [Int], _ b: [Float], _ bShape: [Int], _ batch: [Int], transposesB: Bool, isConstant: Bool,
    bias: [Float]?
  ) throws -> [Float] {
    // Matrices that all multiply the same one are one taller matrix.
    if bShape.count == 2, aShape.count > 2 {
      let rows = aShape.dropLast().reduce(1, *)
      return try nativeProduct(
        a, [rows, aShape[aShape.count - 1]], b, bShape, [], transposesB: transposesB, isConstant: isConstant,
        bias: bias)
    }
    func padded(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: batch.count + 2 - shape.count) + shape }
    let (left, stored) = (padded(aShape), padded(bShape))
    var (right, strides) = (stored, rowMajorStrides(stored))
    if transposesB {
      right.swapAt(right.count - 1, right.count - 2)
      strides.swapAt(strides.count - 1, strides.count - 2)
    }
    let count = batch.reduce(1, *) * left[left.count - 2] * right[right.count - 1]
    let prepared = try self.prepared([left, right]) { shapes in
      try kernels.matmul(
        a: (left, rowMajorStrides(left)), b: (right, strides), values: isConstant ? b : nil, bias: bias,
        shapes: shapes)
    }
    return try kernels.run(prepared, a, isConstant ? nil : b, count: count)
  }

  /// What an earlier run prepared for these shapes, or the same made now.
  func prepared(_ shapes: [[Int]], _ make: ([[Int]]) throws -> NativeKernels.Prepared) throws -> NativeKernels.Prepared
  {
    if let known = step.prepared.withLock({ $0 }) as? NativeKernels.Prepared, known.shapes == shapes { return known }
    let made = try make(shapes)
    step.prepared.withLock { $0 = made }
    return made
  }

  fileprivate func gemm() throws -> [ONNXValue] {
    var (a, b) = (try input(0), try input(1))
    guard a.rank == 2, b.rank == 2 else { throw ONNXProgramError(.rank(found: max(a.rank, b.rank), needed: "2")) }
    let dtype = try self.dtype(of: a)
    let (alpha, beta) = (try float("alpha", 1), try float("beta", 1))
    if try flag("transA", false) { a = try transposed(a, [1, 0]) }
    let transposesB = try flag("transB", false)
    if dtype == .float32, alpha == 1, beta == 1, let bias = optional(2), isConstant(2), isConstant(1),
      bias.shape == [b.shape[transposesB ? 0 : 1]]
    {
      return [try matmul(a, b, isConstant: true, transposesB: transposesB, bias: bias.floats())]
    }
    if dtype.isHalf { (a, b) = (a.widened, b.widened) }
    var result = try matmul(a, b, isConstant: isConstant(1), transposesB: transposesB)
    if alpha != 1 { result = try real(result, { $0 * alpha }, { $0 * Double(alpha) }) }
    if let c = optional(2) {
      var term = c.widened
      if beta != 1 { term = try real(term, { $0 * beta }, { $0 * Double(beta) }) }
      guard try broadcastShape([term.shape, result.shape]) == result.shape else {
        throw ONNXProgramError(.shapesDiffer(result.shape, term.shape))
      }
      result = try binary(result, term, Arithmetic.Sum.self)
    }
    b = result
    return [try b.cast(to: dtype)]
  }

  fileprivate func determinant() throws -> [ONNXValue] {
    let value = try input(0)
    guard value.rank >= 2, value.shape[value.rank - 1] == value.shape[value.rank - 2] else {
      throw ONNXProgramError(.rank(found: value.rank, needed: "square matrices"))
    }
    let n = value.shape[value.rank - 1]
    let numbers = try value.doubles()
    let outer = value.shape.dropLast(2).reduce(1, *)
    let results = (0..<outer).map { Self.determinant(Array(numbers[($0 * n * n)..<(($0 + 1) * n * n)]), n) }
    return [try ONNXValue(shape: Array(value.shape.dropLast(2)), results).cast(to: dtype(of: value))]
  }

  /// By elimination with the largest pivot.
  private static func determinant(_ matrix: [Double], _ n: Int) -> Double {
    var (matrix, result) = (matrix, 1.0)
    for column in 0..<n {
      guard let pivot = (column..<n).max(by: { abs(matrix[$0 * n + column]) < abs(matrix[$1 * n + column]) }),
        matrix[pivot * n + column] != 0
      else { return 0 }
      if pivot != column {
        for index in 0..<n { matrix.swapAt(pivot * n + index, column * n + index) }
        result = -result
      }
      result *= matrix[column * n + column]
      for row in (column + 1)..<max(n, column + 1) {
        let factor = matrix[row * n + column] / matrix[column * n + column]
        for index in column..<n { matrix[row * n + index] -= factor * matrix[column * n + index] }
      }
    }
    return result
  }
}
