import ZooCheckpoint
import ZooFormats

extension OperatorTable {
  /// Shapes, and elements moved as they are.
  static let layout: [String: Kernel] = [
    "Identity": { [try $0.input(0)] },
    "Cast": { try $0.cast() },
    "CastLike": { [try $0.input(0).cast(to: $0.dtype(of: $0.input(1)))] },
    "BitCast": { try $0.bitCast() },
    "Constant": { try $0.constant() },
    "ConstantOfShape": { try $0.constantOfShape() },
    "Shape": { try $0.shape() },
    "Size": { [ONNXValue(scalar: Int64(try $0.input(0).count))] },
    "Reshape": { try $0.reshape() },
    "Flatten": { try $0.flatten() },
    "Squeeze": { try $0.squeeze() },
    "Unsqueeze": { try $0.unsqueeze() },
    "Transpose": { try $0.transpose() },
    "Expand": { try $0.expand() },
    "Tile": { try $0.tile() },
    "Concat": { try $0.concatenate() },
    "Split": { try $0.split() },
    "Slice": { try $0.slice() },
    "Pad": { try $0.pad() },
    "DepthToSpace": { try $0.depthToSpace() },
    "SpaceToDepth": { try $0.spaceToDepth() },
    "EyeLike": { try $0.eyeLike() },
    "Range": { try $0.range() },
    "Trilu": { try $0.triangle() },
    "ReverseSequence": { try $0.reverseSequence() },
    "CenterCropPad": { try $0.centreCropPad() },
  ]
}

extension KernelCall {
  fileprivate func cast() throws -> [ONNXValue] {
    guard let wanted = try dtype("to") else { throw ONNXProgramError(.missingAttribute("to")) }
    return [try input(0).cast(to: wanted)]
  }

  fileprivate func bitCast() throws -> [ONNXValue] {
    guard let wanted = try dtype("to") else { throw ONNXProgramError(.missingAttribute("to")) }
    let value = try input(0)
    let found = try dtype(of: value)
    guard found.size == wanted.size else {
      throw ONNXProgramError(.dtype(found: found, needed: "the size of \(wanted.name)"))
    }
    let tensor = try value.tensor()
    return [try ONNXValue(Tensor(dtype: wanted, shape: value.shape, storage: tensor.storage))]
  }

  fileprivate func constant() throws -> [ONNXValue] {
    for (name, attribute) in step.node.attributes {
      switch (name, attribute) {
      case ("value", .tensor(let tensor)): return [try ONNXValue(tensor)]
      case ("value_float", .float(let value)): return [ONNXValue(scalar: value)]
      case ("value_int", .integer(let value)): return [ONNXValue(scalar: value)]
      case ("value_floats", .floats(let values)): return [ONNXValue(shape: [values.count], values)]
      case ("value_ints", .integers(let values)): return [ONNXValue(shape: [values.count], values)]
      default: continue
      }
    }
    throw ONNXProgramError(.missingAttribute("value"))
  }

  fileprivate func constantOfShape() throws -> [ONNXValue] {
    var filler = ONNXValue(scalar: Float(0))
    if case .tensor(let tensor)? = step.node.attributes["value"] { filler = try ONNXValue(tensor).reshaped([]) }
    guard filler.count == 1 else { throw ONNXProgramError(.count(found: filler.count, needed: 1)) }
    return [try expanded(filler, to: input(0).integers())]
  }

  fileprivate func shape() throws -> [ONNXValue] {
    let shape = try input(0).shape
    func bound(_ name: String, _ missing: Int) throws -> Int {
      let place = try integer(name, missing)
      return max(0, min(shape.count, place < 0 ? place + shape.count : place))
    }
    let (start, end) = (try bound("start", 0), try bound("end", shape.count))
    let part = start < end ? shape[start..<end].map { Int64($0) } : []
    return [ONNXValue(shape: [part.count], part)]
  }

  fileprivate func reshape() throws -> [ONNXValue] {
    let value = try input(0)
    var shape = try optional(1)?.integers() ?? integers("shape") ?? []
    if try !flag("allowzero", false) {
      for axis in shape.indices where shape[axis] == 0 {
        guard axis < value.rank else { throw ONNXProgramError(.axis(axis, rank: value.rank)) }
        shape[axis] = value.shape[axis]
      }
    }
    let free = shape.indices.filter { shape[$0] == -1 }
    guard free.count <= 1 else { throw ONNXProgramError(.shapesDiffer(value.shape, shape)) }
    if let axis = free.first {
      shape[axis] = 1
      guard let known = ONNXValue.elementCount(shape), known > 0 || value.count == 0 else {
        throw ONNXProgramError(.shapesDiffer(value.shape, shape))
      }
      shape[axis] = known == 0 ? 0 : value.count / known
    }
    guard ONNXValue.elementCount(shape) == value.count else {
      throw ONNXProgramError(.shapesDiffer(value.shape, shape))
    }
    return [value.reshaped(shape)]
  }

  fileprivate func flatten() throws -> [ONNXValue] {
    let value = try input(0)
    let axis = try integer("axis", 1)
    guard axis >= -value.rank, axis <= value.rank else { throw ONNXProgramError(.axis(axis, rank: value.rank)) }
    let split = axis < 0 ? axis + value.rank : axis
    return [value.reshaped([value.shape[..<split].reduce(1, *), value.shape[split...].reduce(1, *)])]
  }

  fileprivate func squeeze() throws -> [ONNXValue] {
    let value = try input(0)
    let axes = try self.axes(input: 1, rank: value.rank) ?? value.shape.indices.filter { value.shape[$0] == 1 }
    for axis in axes where value.shape[axis] != 1 {
      throw ONNXProgramError(.size(found: value.shape[axis], needed: "1 to be squeezed"))
    }
    return [value.reshaped(value.shape.indices.filter { !axes.contains($0) }.map { value.shape[$0] })]
  }

  fileprivate func unsqueeze() throws -> [ONNXValue] {
    let value = try input(0)
    let listed = try integers("axes") ?? input(1).integers()
    let rank = value.rank + listed.count
    guard rank <= ONNXValue.largestRank else { throw ONNXProgramError(.rank(found: rank, needed: "fewer")) }
    let axes = Set(try axes(listed, rank: rank))
    var rest = value.shape[...]
    return [value.reshaped((0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 })]
  }

  fileprivate func transpose() throws -> [ONNXValue] {
    let value = try input(0)
    let order = try integers("perm").map { try self.axes($0, rank: value.rank) } ?? Array((0..<value.rank).reversed())
    guard order.count == value.rank else { throw ONNXProgramError(.count(found: order.count, needed: value.rank)) }
    return [try transposed(value, order)]
  }

  fileprivate func expand() throws -> [ONNXValue] {
    let value = try input(0)
    let wanted = try input(1).integers()
    guard ONNXValue.elementCount(wanted) != nil else {
      throw ONNXProgramError(.tooLarge(shape: wanted, limit: frame.limits.memory))
    }
    return [try expanded(value, to: broadcastShape([value.shape, wanted]))]
  }

  fileprivate func tile() throws -> [ONNXValue] {
    let value = try input(0)
    var repeats = try input(1).integers()
    if opset < 6, repeats.count == 1, let axis = optional(2) {
      var all = [Int](repeating: 1, count: value.rank)
      all[try self.axis(axis.integers().first ?? 0, rank: value.rank)] = repeats[0]
      repeats = all
    }
    guard repeats.count == value.rank else { throw ONNXProgramError(.count(found: repeats.count, needed: value.rank)) }
    let shape = zip(value.shape, repeats).map { $0.multipliedReportingOverflow(by: $1) }
    guard !shape.contains(where: \.overflow) else {
      throw ONNXProgramError(.tooLarge(shape: repeats, limit: frame.limits.memory))
    }
    let strides = rowMajorStrides(value.shape)
    var walk = Walk(shape: [], strides: [])
    for axis in value.shape.indices {
      walk.shape += [repeats[axis], value.shape[axis]]
      walk.strides += [0, strides[axis]]
    }
    guard walk.shape.count <= ONNXValue.largestRank else {
      throw ONNXProgramError(.rank(found: value.rank, needed: "at most 16"))
    }
    return [try gather(value, walk).reshaped(shape.map(\.partialValue))]
  }

  fileprivate func concatenate() throws -> [ONNXValue] {
    let values = try given()
    guard values[0].rank > 0 else { throw ONNXProgramError(.rank(found: 0, needed: "1 or more")) }
    return [try joined(values, axis: axis("axis", 1, rank: values[0].rank))]
  }

  /// The part of a value from `start` on, `size` long.
  func part(_ value: ONNXValue, axis: Int, start: Int, size: Int) throws -> ONNXValue {
    var walk = Walk(shape: value.shape, strides: rowMajorStrides(value.shape))
    walk.offset = start * walk.strides[axis]
    walk.shape[axis] = size
    return try gather(value, walk)
  }

  fileprivate func split() throws -> [ONNXValue] {
    let value = try input(0)
    let axis = try self.axis("axis", 0, rank: value.rank)
    let size = value.shape[axis]
    var sizes = try integers("split") ?? optional(1)?.integers() ?? []
    if sizes.isEmpty {
      let parts = try integer("num_outputs", outputCount)
      guard parts > 0, parts <= 1 << 16 else { throw ONNXProgramError(.size(found: parts, needed: "1 or more parts")) }
      let part = (size + parts - 1) / parts
      sizes = (0..<parts).map { max(0, min(part, size - $0 * part)) }
    }
    guard sizes.allSatisfy({ (0...size).contains($0) }), sizes.count <= 1 << 16, sizes.reduce(0, +) == size else {
      throw ONNXProgramError(.shapesDiffer(sizes, value.shape))
    }
    var start = 0
    return try sizes.map { part in
      defer { start += part }
      return try self.part(value, axis: axis, start: start, size: part)
    }
  }

  fileprivate func slice() throws -> [ONNXValue] {
    let value = try input(0)
    let starts = try integers("starts") ?? input(1).integers()
    let ends = try integers("ends") ?? input(2).integers()
    let listed = try integers("axes") ?? optional(3)?.integers()
    let axes = try self.axes(listed ?? Array(starts.indices), rank: value.rank)
    let steps = try optional(4)?.integers() ?? [Int](repeating: 1, count: starts.count)
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
      throw ONNXProgramError(.count(found: ends.count, needed: starts.count))
    }
    var walk = Walk(shape: value.shape, strides: rowMajorStrides(value.shape))
    for (index, axis) in axes.enumerated() {
      let (size, step) = (value.shape[axis], steps[index])
      guard step != 0 else { throw ONNXProgramError(.size(found: 0, needed: "a step")) }
      let (low, high) = step > 0 ? (0, size) : (-1, size - 1)
      func place(_ number: Int) -> Int { max(low, min(high, number < 0 ? number + size : number)) }
      let (start, end) = (place(starts[index]), place(ends[index]))
      let span = step > 0 ? end - start : start - end
      walk.shape[axis] = span <= 0 ? 0 : (span - 1) / Int(step.magnitude) + 1
      walk.offset += walk.shape[axis] == 0 ? 0 : start * walk.strides[axis]
      // One step may be longer than all there is.
      walk.strides[axis] = walk.shape[axis] <= 1 ? 0 : walk.strides[axis] * step
    }
    if walk.shape.contains(0) { walk.offset = 0 }
    return [try gather(value, walk)]
  }

  private func blockSize() throws -> Int {
    let size = try integer("blocksize", 0)
    guard (1...4096).contains(size), try input(0).rank == 4 else {
      throw ONNXProgramError(.size(found: size, needed: "a block of a picture's pixels"))
    }
    return size
  }

  fileprivate func depthToSpace() throws -> [ONNXValue] {
    let (value, block) = (try input(0), try blockSize())
    let (n, c, h, w) = (value.shape[0], value.shape[1] / (block * block), value.shape[2], value.shape[3])
    guard c * block * block == value.shape[1] else {
      throw ONNXProgramError(.size(found: value.shape[1], needed: "a multiple of \(block * block)"))
    }
    let isDCR = try string("mode", "DCR") == "DCR"
    let split = value.reshaped(isDCR ? [n, block, block, c, h, w] : [n, c, block, block, h, w])
    let turned = try transposed(split, isDCR ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
    return [turned.reshaped([n, c, h * block, w * block])]
  }

  fileprivate func spaceToDepth() throws -> [ONNXValue] {
    let (value, block) = (try input(0), try blockSize())
    let (n, c, h, w) = (value.shape[0], value.shape[1], value.shape[2] / block, value.shape[3] / block)
    guard h * block == value.shape[2], w * block == value.shape[3] else {
      throw ONNXProgramError(.size(found: value.shape[2], needed: "a multiple of \(block)"))
    }
    let split = value.reshaped([n, c, h, block, w, block])
    let isDCR = try string("mode", "DCR") == "DCR"
    return [
      try transposed(split, isDCR ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]).reshaped([n, c * block * block, h, w])
    ]
  }

  fileprivate func eyeLike() throws -> [ONNXValue] {
    let value = try input(0)
    guard value.rank == 2 else { throw ONNXProgramError(.rank(found: value.rank, needed: "2")) }
    let diagonal = try integer("k", 0)
    let count = try self.count(value.shape)
    let columns = value.shape[1]
    let ones = (0..<count).map { $0 % columns - $0 / columns == diagonal ? Float(1) : 0 }
    return [try ONNXValue(shape: value.shape, ones).cast(to: dtype("dtype") ?? dtype(of: value))]
  }

  fileprivate func range() throws -> [ONNXValue] {
    let dtype = try self.dtype(of: input(0))
    let (start, limit, delta) = (try scalar(0), try scalar(1), try scalar(2))
    let steps = ((limit - start) / delta).rounded(.up)
    guard steps.isFinite, steps < Double(ONNXValue.largestCount) else {
      throw ONNXProgramError(.tooLarge(shape: [], limit: frame.limits.memory))
    }
    let count = try self.count([max(0, Int(steps))])
    if !dtype.isFloatingPoint {
      let (first, step) = (Int64(try integerScalar(0)), Int64(try integerScalar(2)))
      return [try ONNXValue(shape: [count], (0..<count).map { first &+ Int64($0) &* step }).cast(to: dtype)]
    }
    return [try ONNXValue(shape: [count], (0..<count).map { start + Double($0) * delta }).cast(to: dtype)]
  }

  fileprivate func triangle() throws -> [ONNXValue] {
    let value = try input(0)
    guard value.rank >= 2 else { throw ONNXProgramError(.rank(found: value.rank, needed: "2 or more")) }
    let diagonal = try optional(1)?.integers().first ?? 0
    let isUpper = try flag("upper", true)
    let (rows, columns) = (value.shape[value.rank - 2], value.shape[value.rank - 1])
    let places = (0..<value.count).map { place -> Int in
      let (row, column) = (place / columns % rows, place % columns)
      return (isUpper ? column - row >= diagonal : column - row <= diagonal) ? place : -1
    }
    return [try pick(value, places, shape: value.shape)]
  }

  fileprivate func reverseSequence() throws -> [ONNXValue] {
    let value = try input(0)
    let lengths = try input(1).integers()
    let (batchAxis, timeAxis) = (
      try axis("batch_axis", 1, rank: value.rank), try axis("time_axis", 0, rank: value.rank)
    )
    guard lengths.count == value.shape[batchAxis], batchAxis != timeAxis else {
      throw ONNXProgramError(.count(found: lengths.count, needed: value.shape[batchAxis]))
    }
    let strides = rowMajorStrides(value.shape)
    let size = value.shape[timeAxis]
    let places = try (0..<value.count).map { place -> Int in
      let length = lengths[place / strides[batchAxis] % value.shape[batchAxis]]
      guard (0...size).contains(length) else { throw ONNXProgramError(.index(length, size: size)) }
      let time = place / strides[timeAxis] % size
      return time < length ? place + (length - 1 - 2 * time) * strides[timeAxis] : place
    }
    return [try pick(value, places, shape: value.shape)]
  }
}
