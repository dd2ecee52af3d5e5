/// Row-major strides of a shape, in elements.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1) }
  return strides
}

/// A way through elements: where it starts, how many steps each axis has, and how far each goes.
struct Walk {
  var offset = 0
  var shape: [Int]
  var strides: [Int]

  /// Axes of one step go, axes that continue one another become one.
  var merged: Walk {
    var (sizes, steps): ([Int], [Int]) = ([], [])
    for (size, stride) in zip(shape, strides) where size != 1 {
      if let last = steps.last, last == stride * size {
        sizes[sizes.count - 1] *= size
        steps[steps.count - 1] = stride
      } else {
        sizes.append(size)
        steps.append(stride)
      }
    }
    return Walk(offset: offset, shape: sizes, strides: steps)
  }

  /// Whether every step lies inside `count` elements.
  func isInside(_ count: Int) -> Bool {
    if shape.contains(0) { return true }
    var (low, high) = (offset, offset)
    for (size, stride) in zip(shape, strides) {
      let (span, overflows) = (size - 1).multipliedReportingOverflow(by: stride)
      guard !overflows, abs(span) < 1 << 50 else { return false }
      if span < 0 { low += span } else { high += span }
    }
    return low >= 0 && high < count
  }

  /// Calls `body` with the offset of every row along the last axis, in order.
  @inline(__always)
  func eachRow(_ body: (_ offset: Int) -> Void) {
    if shape.contains(0) { return }
    let outer = shape.count - 1
    guard outer > 0 else { return body(offset) }
    var position = [Int](repeating: 0, count: outer)
    var place = offset
    while true {
      body(place)
      var axis = outer - 1
      while true {
        position[axis] += 1
        place += strides[axis]
        if position[axis] < shape[axis] { break }
        place -= shape[axis] * strides[axis]
        position[axis] = 0
        axis -= 1
        if axis < 0 { return }
      }
    }
  }
}

/// Gathers what a walk passes.
private struct WalkVisitor: ElementVisitor {
  let walk: Walk
  let count: Int

  func visit<T: Element>(_ values: [T]) -> Elements {
    T.wrap(walk.gather(values, count: count))
  }
}

extension Walk {
  /// - Precondition: ``isInside(_:)`` holds for `values`, and `count` is the product of the shape.
  fileprivate func gather<T: Element>(_ values: [T], count: Int) -> [T] {
    if count == 0 { return [] }
    let merged = merged
    guard let inner = merged.shape.last, let step = merged.strides.last else {
      return [T](repeating: values[offset], count: count)
    }
    return [T](unsafeUninitializedCapacity: count) { target, initialized in
      values.withUnsafeBufferPointer { source in
        guard var to = target.baseAddress, let from = source.baseAddress else { return }
        merged.eachRow { start in
          let row = from + start
          if step == 1 {
            to.update(from: row, count: inner)
          } else {
            for index in 0..<inner { to[index] = row[index * step] }
          }
          to += inner
        }
      }
      initialized = count
    }
  }
}

extension KernelCall {
  /// The elements that a walk passes, as a value of the walk's shape.
  func gather(_ value: ONNXValue, _ walk: Walk) throws -> ONNXValue {
    let dtype = try dtype(of: value)
    let count = try count(walk.shape, size: dtype.size)
    guard walk.isInside(value.count) else { throw ONNXProgramError(.index(walk.offset, size: value.count)) }
    guard let elements = try value.elements.accept(WalkVisitor(walk: walk, count: count)) else {
      throw ONNXProgramError(.notTensor)
    }
    return ONNXValue(shape: walk.shape, elements)
  }

  func transposed(_ value: ONNXValue, _ order: [Int]) throws -> ONNXValue {
    if order == Array(0..<value.rank) { return value }
    let strides = rowMajorStrides(value.shape)
    return try gather(value, Walk(shape: order.map { value.shape[$0] }, strides: order.map { strides[$0] }))
  }

  /// Repeats along axes of size 1 and new ones in front.
  func expanded(_ value: ONNXValue, to shape: [Int]) throws -> ONNXValue {
    if value.shape == shape { return value }
    return try gather(value, Walk(shape: shape, strides: broadcastStrides(value.shape, to: shape)))
  }
}

/// Strides with which a value of one shape is read as another, larger one.
func broadcastStrides(_ shape: [Int], to wanted: [Int]) throws -> [Int] {
  guard shape.count <= wanted.count else { throw ONNXProgramError(.shapesDiffer(shape, wanted)) }
  let own = rowMajorStrides(shape)
  let missing = wanted.count - shape.count
  return try wanted.indices.map { axis in
    guard axis >= missing, shape[axis - missing] != 1 else { return 0 }
    guard shape[axis - missing] == wanted[axis] else { throw ONNXProgramError(.shapesDiffer(shape, wanted)) }
    return own[axis - missing]
  }
}

/// The shape that all of these broadcast to, as NumPy does it.
func broadcastShape(_ shapes: [[Int]]) throws -> [Int] {
  let rank = shapes.map(\.count).max() ?? 0
  var result = [Int](repeating: 1, count: rank)
  for shape in shapes {
    for (index, size) in shape.enumerated() {
      let axis = rank - shape.count + index
      if size == result[axis] || size == 1 { continue }
      guard result[axis] == 1 else { throw ONNXProgramError(.shapesDiffer(shapes[0], shape)) }
      result[axis] = size
    }
  }
  return result
}
