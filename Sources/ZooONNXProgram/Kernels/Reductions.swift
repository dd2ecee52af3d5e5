import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// One number from all along some axes.
  static let reductions: [String: Kernel] = [
    "ReduceSum": { try $0.reduce(.sum) },
    "ReduceMean": { try $0.reduce(.mean) },
    "ReduceMax": { try $0.reduce(.largest) },
    "ReduceMin": { try $0.reduce(.smallest) },
    "ReduceProd": { try $0.reduce(.product) },
    "ReduceL1": { try $0.reduce(.sumOfMagnitudes) },
    "ReduceL2": { try $0.reduce(.length) },
    "ReduceLogSum": { try $0.reduce(.logarithmOfSum) },
    "ReduceLogSumExp": { try $0.reduce(.logarithmOfExponentials) },
    "ReduceSumSquare": { try $0.reduce(.sumOfSquares) },
    "ArgMax": { try $0.place(ofLargest: true) },
    "ArgMin": { try $0.place(ofLargest: false) },
    "CumSum": { try $0.cumulate(Arithmetic.Sum.self, first: 0) },
    "CumProd": { try $0.cumulate(Arithmetic.Product.self, first: 1) },
  ]
}

enum Reduction {
  case sum, mean, largest, smallest, product, sumOfMagnitudes, length, logarithmOfSum, logarithmOfExponentials
  case sumOfSquares
}

/// Reduces rows of `length` elements each.
private struct RowReducer: NumberVisitor {
  let reduction: Reduction
  let rows: Int
  let length: Int

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    let values = arrays[0]
    if reduction == .sum || reduction == .mean, let floats = values as? [Float] { return .float32(sums(floats)) }
    return T.wrap((0..<rows).map { row in reduce(values[(row * length)..<((row + 1) * length)]) })
  }

  /// Several sums at once, which vectors do side by side and which lose less than a single one.
  private func sums(_ values: [Float]) -> [Float] {
    values.withUnsafeBufferPointer { values in
      (0..<rows).map { row in
        var lanes = SIMD16<Float>.zero
        let (start, end) = (row * length, (row + 1) * length)
        var index = start
        while index + 16 <= end {
          lanes += UnsafeRawBufferPointer(values).loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
          index += 16
        }
        var sum = Double(lanes.sum())
        while index < end {
          sum += Double(values[index])
          index += 1
        }
        return Float(reduction == .mean ? sum / Double(length) : sum)
      }
    }
  }

  private func reduce<T: Number>(_ row: ArraySlice<T>) -> T {
    switch reduction {
    case .sum: return T.isInteger ? row.reduce(.zero, T.sum) : T(rounding: row.reduce(0) { $0 + $1.double })
    case .mean:
      let sum = T.isInteger ? row.reduce(.zero, T.sum).double : row.reduce(0) { $0 + $1.double }
      return T(rounding: T.isInteger ? (sum / Double(length)).rounded(.towardZero) : sum / Double(length))
    case .largest: return row.reduce(T.lowest, Arithmetic.Larger.apply)
    case .smallest: return row.reduce(T.highest, Arithmetic.Smaller.apply)
    case .product: return row.reduce(T(wrapping: 1), T.product)
    case .sumOfMagnitudes: return row.reduce(.zero) { T.sum($0, $1.magnitudeValue) }
    case .sumOfSquares: return row.reduce(.zero) { T.sum($0, T.product($1, $1)) }
    case .length: return T(rounding: row.reduce(0) { $0 + $1.double * $1.double }.squareRoot().floored(T.isInteger))
    case .logarithmOfSum: return T(rounding: log(row.reduce(0) { $0 + $1.double }).floored(T.isInteger))
    case .logarithmOfExponentials:
      let largest = row.reduce(-Double.infinity) { max($0, $1.double) }
      guard largest.isFinite else { return T(rounding: largest) }
      return T(rounding: (largest + log(row.reduce(0) { $0 + exp($1.double - largest) })).floored(T.isInteger))
    }
  }
}

extension Double {
  /// Integer results drop their fraction.
  fileprivate func floored(_ isInteger: Bool) -> Double { isInteger ? rounded(.towardZero) : self }
}

extension KernelCall {
  fileprivate func reduce(_ reduction: Reduction) throws -> [ONNXValue] {
    let value = try input(0)
    var axes = try self.axes(input: 1, rank: value.rank) ?? []
    let keeps = try flag("keepdims", true)
    if axes.isEmpty {
      if try flag("noop_with_empty_axes", false) { return [try elementwise(value, reduction)] }
      axes = Array(0..<value.rank)
    }
    return [try reduce(value, reduction, axes: axes, keeps: keeps)]
  }

  /// What a reduction over no axes at all still does to each element.
  private func elementwise(_ value: ONNXValue, _ reduction: Reduction) throws -> ONNXValue {
    switch reduction {
    case .sum, .mean, .largest, .smallest, .product: return value
    default:
      let longer = value.reshaped(value.shape + [1])
      return try reduce(longer, reduction, axes: [value.rank], keeps: false)
    }
  }

  /// - Parameter axes: different ones, from 0.
  func reduce(_ value: ONNXValue, _ reduction: Reduction, axes: [Int], keeps: Bool) throws -> ONNXValue {
    let dtype = try self.dtype(of: value)
    if dtype == .bool { return try reduce(value.cast(to: .uint8), reduction, axes: axes, keeps: keeps).cast(to: .bool) }
    let kept = (0..<value.rank).filter { !axes.contains($0) }
    let rows = try transposed(value.widened, kept + axes.sorted())
    let shape =
      keeps ? value.shape.indices.map { axes.contains($0) ? 1 : value.shape[$0] } : kept.map { value.shape[$0] }
    let rowCount = try count(shape)
    let length = axes.map { value.shape[$0] }.reduce(1, *)
    let reducer = RowReducer(reduction: reduction, rows: rowCount, length: length)
    guard let result = try Elements.acceptNumbers([rows.elements], reducer) else {
      throw ONNXProgramError(.dtype(found: dtype, needed: "numbers"))
    }
    return try ONNXValue(shape: shape, result).cast(to: dtype)
  }

  fileprivate func place(ofLargest: Bool) throws -> [ONNXValue] {
    let value = try input(0)
    let axis = try self.axis("axis", 0, rank: value.rank)
    let takesLast = try flag("select_last_index", false)
    let order = (0..<value.rank).filter { $0 != axis } + [axis]
    let numbers = try transposed(value, order).doubles()
    let length = value.shape[axis]
    guard length > 0 else { throw ONNXProgramError(.empty) }
    var shape = value.shape
    if try flag("keepdims", true) { shape[axis] = 1 } else { shape.remove(at: axis) }
    let places = (0..<(numbers.count / length)).map { row -> Int64 in
      var best = row * length
      for index in (row * length)..<((row + 1) * length) {
        let isBetter = ofLargest ? numbers[index] > numbers[best] : numbers[index] < numbers[best]
        if isBetter || (takesLast && numbers[index] == numbers[best]) { best = index }
      }
      return Int64(best - row * length)
    }
    return [ONNXValue(shape: shape, places)]
  }

  fileprivate func cumulate<Operation: BinaryOperation>(_ operation: Operation.Type, first: Int64) throws
    -> [ONNXValue]
  {
    let value = try input(0)
    let axis = try self.axis(integerScalar(1), rank: value.rank)
    let visitor = Cumulating<Operation>(
      length: value.shape[axis], stride: value.shape[(axis + 1)...].reduce(1, *),
      isExclusive: try flag("exclusive", false), isReverse: try flag("reverse", false), first: first)
    guard let result = try Elements.acceptNumbers([value.widened.elements], visitor) else {
      throw ONNXProgramError(.dtype(found: value.dtype, needed: "numbers"))
    }
    return [try ONNXValue(shape: value.shape, result).cast(to: dtype(of: value))]
  }
}

private struct Cumulating<Operation: BinaryOperation>: NumberVisitor {
  let length: Int
  let stride: Int
  let isExclusive: Bool
  let isReverse: Bool
  let first: Int64

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    var values = arrays[0]
    guard length > 0, !values.isEmpty else { return T.wrap(values) }
    for outer in Swift.stride(from: 0, to: values.count, by: length * stride) {
      for inner in 0..<stride {
        var total = T(wrapping: first)
        for step in 0..<length {
          let place = outer + inner + (isReverse ? length - 1 - step : step) * stride
          let value = values[place]
          if isExclusive { values[place] = total }
          total = Operation.apply(total, value)
          if !isExclusive { values[place] = total }
        }
      }
    }
    return T.wrap(values)
  }
}
