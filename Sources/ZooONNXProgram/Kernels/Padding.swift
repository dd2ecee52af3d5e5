import ZooCheckpoint

extension KernelCall {
  func pad() throws -> [ONNXValue] {
    let value = try input(0)
    let mode = try string("mode", "constant")
    let pads = try integers("pads") ?? input(1).integers()
    let filler = opset < 11 ? ONNXValue(scalar: try float("value", 0)) : optional(2)
    let axes = try optional(3).map { try self.axes($0.integers(), rank: value.rank) } ?? Array(0..<value.rank)
    guard pads.count == axes.count * 2 else {
      throw ONNXProgramError(.count(found: pads.count, needed: axes.count * 2))
    }
    var (before, after) = ([Int](repeating: 0, count: value.rank), [Int](repeating: 0, count: value.rank))
    for (index, axis) in axes.enumerated() { (before[axis], after[axis]) = (pads[index], pads[index + axes.count]) }
    return [try padded(value, before: before, after: after, mode: mode, filler: filler)]
  }

  /// - Parameter before, after: by axis; a negative number takes away.
  func padded(
    _ value: ONNXValue, before: [Int], after: [Int], mode: String = "constant", filler: ONNXValue? = nil
  ) throws -> ONNXValue {
    let bound = ONNXValue.largestCount
    guard (before + after).allSatisfy({ abs($0) <= bound }) else {
      throw ONNXProgramError(.tooLarge(shape: before, limit: frame.limits.memory))
    }
    let shape = value.shape.indices.map { max(0, value.shape[$0] + before[$0] + after[$0]) }
    _ = try self.count(shape, size: 8)
    // Where each index along each axis comes from; -1 is outside.
    let sources = try value.shape.indices.map { axis in
      try (0..<shape[axis]).map { try Self.source($0 - before[axis], value.shape[axis], mode) }
    }
    return try pick(value, Self.places(sources, in: value.shape), shape: shape, filler: filler)
  }

  private static func source(_ index: Int, _ size: Int, _ mode: String) throws -> Int {
    if (0..<size).contains(index) { return index }
    if mode == "constant" { return -1 }
    guard size > 0 else { throw ONNXProgramError(.empty) }
    switch mode {
    case "edge": return index < 0 ? 0 : size - 1
    case "reflect":
      guard size > 1 else { return 0 }
      let period = 2 * (size - 1), place = ((index % period) + period) % period
      return place < size ? place : period - place
    case "wrap": return ((index % size) + size) % size
    default: throw ONNXProgramError(.badAttribute("mode", found: mode))
    }
  }

  /// Places of all combinations of indices along the axes; -1 where one of them is.
  static func places(_ sources: [[Int]], in shape: [Int]) -> [Int] {
    let strides = rowMajorStrides(shape)
    var places = [0]
    for (axis, source) in sources.enumerated() {
      var next: [Int] = []
      next.reserveCapacity(places.count * source.count)
      for place in places {
        for index in source { next.append(place < 0 || index < 0 ? -1 : place + index * strides[axis]) }
      }
      places = next
    }
    return places
  }

  func centreCropPad() throws -> [ONNXValue] {
    let value = try input(0)
    let wanted = try input(1).integers()
    let axes = try integers("axes").map { try self.axes($0, rank: value.rank) } ?? Array(0..<value.rank)
    guard wanted.count == axes.count else { throw ONNXProgramError(.count(found: wanted.count, needed: axes.count)) }
    var (before, after) = ([Int](repeating: 0, count: value.rank), [Int](repeating: 0, count: value.rank))
    for (size, axis) in zip(wanted, axes) {
      guard (0...ONNXValue.largestCount).contains(size) else {
        throw ONNXProgramError(.size(found: size, needed: "a size"))
      }
      let difference = size - value.shape[axis]
      before[axis] = difference >= 0 ? difference / 2 : -((-difference) / 2)
      after[axis] = difference - before[axis]
    }
    return [try padded(value, before: before, after: after)]
  }
}
