/// Picks elements by their places; -1 picks the filler.
private struct PickVisitor: ElementVisitor {
  let places: [Int]
  let run: Int
  let filler: ONNXValue?

  func visit<T: Element>(_ values: [T]) throws -> Elements {
    var fill = T.zero
    if let filler, let first = try filler.cast(to: T.dtype).first(as: T.self) { fill = first }
    let count = places.count * run
    return T.wrap(
      [T](unsafeUninitializedCapacity: count) { target, initialized in
        values.withUnsafeBufferPointer { source in
          guard var to = target.baseAddress else { return }
          for place in places {
            if place < 0 {
              to.update(repeating: fill, count: run)
            } else if let from = source.baseAddress {
              to.update(from: from + place * run, count: run)
            }
            to += run
          }
        }
        initialized = count
      })
  }
}

private struct FirstVisitor<Wanted: Element>: ElementVisitor {
  func visit<T: Element>(_ values: [T]) -> Wanted? { (values as? [Wanted])?.first }
}

extension ONNXValue {
  func first<T: Element>(as type: T.Type) throws -> T? { try elements.accept(FirstVisitor<T>()) ?? nil }
}

private struct JoinVisitor: ElementVisitor {
  let rest: [ONNXValue]
  let outer: Int

  func visit<T: Element>(_ values: [T]) throws -> Elements? {
    var parts = [values]
    for value in rest {
      guard let part = try value.elements.accept(Unwrapping<T>()) ?? nil else { return nil }
      parts.append(part)
    }
    let runs = parts.map { outer == 0 ? 0 : $0.count / outer }
    var joined: [T] = []
    joined.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for index in 0..<outer {
      for (part, run) in zip(parts, runs) { joined += part[(index * run)..<((index + 1) * run)] }
    }
    return T.wrap(joined)
  }
}

extension KernelCall {
  /// Runs of `run` elements from these places, counted in runs; -1 gives the filler.
  ///
  /// - Precondition: every place lies inside.
  func pick(
    _ value: ONNXValue, _ places: [Int], run: Int = 1, shape: [Int], filler: ONNXValue? = nil
  ) throws -> ONNXValue {
    let count = try count(shape, size: dtype(of: value).size)
    guard count == places.count * run, places.allSatisfy({ $0 < max(value.count / max(run, 1), 0) }) else {
      throw ONNXProgramError(.index(places.max() ?? 0, size: value.count / max(run, 1)))
    }
    let visitor = PickVisitor(places: places, run: run, filler: filler)
    guard let elements = try value.elements.accept(visitor) else { throw ONNXProgramError(.notTensor) }
    return ONNXValue(shape: shape, elements)
  }

  /// Values of one type side by side along an axis; their other sizes are equal.
  func joined(_ values: [ONNXValue], axis: Int) throws -> ONNXValue {
    guard let first = values.first else { throw ONNXProgramError(.empty) }
    guard axis < first.rank else { throw ONNXProgramError(.axis(axis, rank: first.rank)) }
    var shape = first.shape
    shape[axis] = 0
    for value in values {
      guard value.dtype == first.dtype else { throw ONNXProgramError(.dtype(found: value.dtype, needed: "one type")) }
      guard value.rank == first.rank,
        value.shape.indices.allSatisfy({ $0 == axis || value.shape[$0] == first.shape[$0] })
      else { throw ONNXProgramError(.shapesDiffer(first.shape, value.shape)) }
      shape[axis] += value.shape[axis]
    }
    _ = try count(shape, size: dtype(of: first).size)
    let outer = shape[..<axis].reduce(1, *)
    let visitor = JoinVisitor(rest: Array(values.dropFirst()), outer: outer)
    guard let elements = try first.elements.accept(visitor) ?? nil else { throw ONNXProgramError(.notTensor) }
    return ONNXValue(shape: shape, elements)
  }
}
