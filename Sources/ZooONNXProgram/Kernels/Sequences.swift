import Foundation
import ZooCheckpoint

extension OperatorTable {
  /// Sequences of tensors, values that may be missing, and random numbers.
  static let sequences: [String: Kernel] = [
    "SequenceEmpty": { _ in [ONNXValue(sequence: [])] },
    "SequenceConstruct": { [ONNXValue(sequence: try $0.given())] },
    "SequenceAt": { try $0.sequenceAt() },
    "SequenceInsert": { try $0.sequenceInsert() },
    "SequenceErase": { try $0.sequenceErase() },
    "SequenceLength": { [ONNXValue(scalar: Int64(try $0.input(0).sequence().count))] },
    "SequenceMap": { try $0.sequenceMap() },
    "SplitToSequence": { try $0.splitToSequence() },
    "ConcatFromSequence": { try $0.concatenateSequence() },
    "Optional": { [$0.optional(0) ?? ONNXValue(shape: [], .absent)] },
    "OptionalHasElement": { [ONNXValue(scalar: $0.optional(0)?.isAbsent == false)] },
    "OptionalGetElement": { try $0.optionalGet() },
    "RandomUniform": { try $0.randomNumbers(isNormal: false, like: nil) },
    "RandomNormal": { try $0.randomNumbers(isNormal: true, like: nil) },
    "RandomUniformLike": { try $0.randomNumbers(isNormal: false, like: $0.input(0)) },
    "RandomNormalLike": { try $0.randomNumbers(isNormal: true, like: $0.input(0)) },
    "Bernoulli": { try $0.bernoulli() },
  ]
}

extension ONNXValue {
  init(sequence: [ONNXValue]) { self.init(shape: [], .sequence(sequence)) }

  /// - Throws: ``ONNXProgramError`` where this is a tensor.
  func sequence() throws -> [ONNXValue] {
    guard case .sequence(let values) = elements else { throw ONNXProgramError(.notSequence) }
    return values
  }

  var isAbsent: Bool { if case .absent = elements { true } else { false } }
}

extension KernelCall {
  private func place(_ count: Int, at position: Int, missing: Int) throws -> Int {
    let index = try optional(position)?.integers().first ?? missing
    guard index >= -count, index <= count else { throw ONNXProgramError(.index(index, size: count)) }
    return index < 0 ? index + count : index
  }

  fileprivate func sequenceAt() throws -> [ONNXValue] {
    let values = try input(0).sequence()
    let place = try self.place(values.count, at: 1, missing: 0)
    guard place < values.count else { throw ONNXProgramError(.index(place, size: values.count)) }
    return [values[place]]
  }

  fileprivate func sequenceInsert() throws -> [ONNXValue] {
    var values = try input(0).sequence()
    values.insert(try input(1), at: try place(values.count, at: 2, missing: values.count))
    return [ONNXValue(sequence: values)]
  }

  fileprivate func sequenceErase() throws -> [ONNXValue] {
    var values = try input(0).sequence()
    let place = try self.place(values.count, at: 1, missing: values.count - 1)
    guard place < values.count else { throw ONNXProgramError(.index(place, size: values.count)) }
    values.remove(at: place)
    return [ONNXValue(sequence: values)]
  }

  fileprivate func sequenceMap() throws -> [ONNXValue] {
    let first = try input(0).sequence()
    let others = inputs.dropFirst().compactMap { $0 }
    var results = [[ONNXValue]](repeating: [], count: outputCount)
    for index in first.indices {
      let arguments =
        try [first[index]]
        + others.map { other in
          guard case .sequence(let values) = other.elements else { return other }
          guard index < values.count else { throw ONNXProgramError(.index(index, size: values.count)) }
          return values[index]
        }
      let values = try run("body", arguments)
      guard values.count >= results.count else {
        throw ONNXProgramError(.count(found: values.count, needed: results.count))
      }
      for output in results.indices { results[output].append(values[output]) }
    }
    return results.map { ONNXValue(sequence: $0) }
  }

  fileprivate func splitToSequence() throws -> [ONNXValue] {
    let value = try input(0)
    let axis = try self.axis("axis", 0, rank: value.rank)
    let size = value.shape[axis]
    var sizes = [Int](repeating: 1, count: size)
    if let split = optional(1) {
      sizes = try split.integers()
      if split.rank == 0, let part = sizes.first {
        guard part > 0 else { throw ONNXProgramError(.size(found: part, needed: "1 or more")) }
        sizes = stride(from: 0, to: size, by: part).map { min(part, size - $0) }
      }
    }
    guard sizes.allSatisfy({ (0...size).contains($0) }), sizes.count <= 1 << 20, sizes.reduce(0, +) == size else {
      throw ONNXProgramError(.shapesDiffer(sizes, value.shape))
    }
    let drops = try optional(1) == nil && !flag("keepdims", true)
    var start = 0
    let parts = try sizes.map { size -> ONNXValue in
      defer { start += size }
      let part = try self.part(value, axis: axis, start: start, size: size)
      guard drops else { return part }
      var shape = part.shape
      shape.remove(at: axis)
      return part.reshaped(shape)
    }
    return [ONNXValue(sequence: parts)]
  }

  fileprivate func concatenateSequence() throws -> [ONNXValue] {
    let values = try input(0).sequence()
    guard let first = values.first else { throw ONNXProgramError(.empty) }
    if try flag("new_axis", false) { return [try stacked(values, axis: axis("axis", 0, rank: first.rank + 1))] }
    guard first.rank > 0 else { throw ONNXProgramError(.rank(found: 0, needed: "1 or more")) }
    return [try joined(values, axis: axis("axis", 0, rank: first.rank))]
  }

  fileprivate func optionalGet() throws -> [ONNXValue] {
    let value = try input(0)
    guard !value.isAbsent else { throw ONNXProgramError(.empty) }
    return [value]
  }

  // MARK: random numbers

  fileprivate func randomNumbers(isNormal: Bool, like: ONNXValue?) throws -> [ONNXValue] {
    let shape = try like?.shape ?? integers("shape") ?? []
    let dtype = try self.dtype("dtype") ?? like?.dtype ?? .float32
    let count = try self.count(shape)
    if isNormal {
      let (mean, scale) = (Double(try float("mean", 0)), Double(try float("scale", 1)))
      // Box and Muller's transform.
      let values = (0..<count).map { _ in
        mean + scale * (-2 * log(1 - frame.random())).squareRoot() * cos(2 * .pi * frame.random())
      }
      return [try ONNXValue(shape: shape, values).cast(to: dtype)]
    }
    let (low, high) = (Double(try float("low", 0)), Double(try float("high", 1)))
    let values = (0..<count).map { _ in low + (high - low) * frame.random() }
    return [try ONNXValue(shape: shape, values).cast(to: dtype)]
  }

  fileprivate func bernoulli() throws -> [ONNXValue] {
    let value = try input(0)
    let draws = try value.doubles().map { frame.random() < $0 }
    return [try ONNXValue(shape: value.shape, draws).cast(to: dtype("dtype") ?? dtype(of: value))]
  }
}
