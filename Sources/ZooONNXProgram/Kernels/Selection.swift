import ZooCheckpoint

extension OperatorTable {
  /// Elements chosen or placed by indices.
  static let selection: [String: Kernel] = [
    "Gather": { try $0.gather() },
    "GatherElements": { try $0.gatherElements() },
    "GatherND": { try $0.gatherND() },
    "Scatter": { try $0.scatterElements() },
    "ScatterElements": { try $0.scatterElements() },
    "ScatterND": { try $0.scatterND() },
    "TensorScatter": { try $0.tensorScatter() },
    "Compress": { try $0.compress() },
    "NonZero": { try $0.nonZero() },
    "OneHot": { try $0.oneHot() },
    "TopK": { try $0.topK() },
    "Unique": { try $0.unique() },
    "NonMaxSuppression": { try $0.nonMaxSuppression() },
  ]
}

/// Writes updates at places of an array.
private struct PlacingVisitor: ElementVisitor {
  let places: [Int]
  let run: Int
  let updates: ONNXValue

  func visit<T: Element>(_ values: [T]) throws -> Elements? {
    guard let updates = try updates.elements.accept(Unwrapping<T>()) ?? nil else { return nil }
    var values = values
    for (index, place) in places.enumerated() {
      for offset in 0..<run { values[place * run + offset] = updates[index * run + offset] }
    }
    return T.wrap(values)
  }
}

/// Combines updates with what stands at their places.
private struct CombiningVisitor<Operation: BinaryOperation>: NumberVisitor {
  let places: [Int]
  let run: Int

  func visit<T: Number>(_ arrays: [[T]]) -> Elements {
    var values = arrays[0]
    for (index, place) in places.enumerated() {
      for offset in 0..<run {
        values[place * run + offset] = Operation.apply(values[place * run + offset], arrays[1][index * run + offset])
      }
    }
    return T.wrap(values)
  }
}

extension KernelCall {
  /// Indices into `size` places, negative ones from the end.
  func indices(_ value: ONNXValue, size: Int) throws -> [Int] {
    try value.integers().map { index in
      guard index >= -size, index < size else { throw ONNXProgramError(.index(index, size: size)) }
      return index < 0 ? index + size : index
    }
  }

  fileprivate func gather() throws -> [ONNXValue] {
    let (value, index) = (try input(0), try input(1))
    let axis = try self.axis("axis", 0, rank: value.rank)
    let size = value.shape[axis]
    let chosen = try indices(index, size: size)
    let shape = Array(value.shape[..<axis] + index.shape + value.shape[(axis + 1)...])
    let outer = value.shape[..<axis].reduce(1, *), run = value.shape[(axis + 1)...].reduce(1, *)
    _ = try count(shape)
    var places: [Int] = []
    places.reserveCapacity(outer * chosen.count)
    for row in 0..<outer { for index in chosen { places.append(row * size + index) } }
    if run == 0 { return [try pick(value, [], run: 1, shape: shape)] }
    return [try pick(value, places, run: run, shape: shape)]
  }

  /// Where each element of an index tensor points along an axis of a value with these sizes.
  private func elementPlaces(_ index: ONNXValue, in shape: [Int], axis: Int) throws -> [Int] {
    guard index.rank == shape.count,
      index.shape.indices.allSatisfy({ $0 == axis || index.shape[$0] <= shape[$0] })
    else { throw ONNXProgramError(.shapesDiffer(shape, index.shape)) }
    let chosen = try indices(index, size: shape[axis])
    let strides = rowMajorStrides(shape)
    var position = [Int](repeating: 0, count: index.rank)
    return chosen.map { chosen in
      var place = chosen * strides[axis]
      for other in position.indices where other != axis { place += position[other] * strides[other] }
      for other in position.indices.reversed() {
        position[other] += 1
        if position[other] < index.shape[other] { break }
        position[other] = 0
      }
      return place
    }
  }

  fileprivate func gatherElements() throws -> [ONNXValue] {
    let (value, index) = (try input(0), try input(1))
    let axis = try self.axis("axis", 0, rank: value.rank)
    return [try pick(value, elementPlaces(index, in: value.shape, axis: axis), shape: index.shape)]
  }

  /// Places of the runs that rows of indices name, and how long a run is.
  private func rowPlaces(_ index: ONNXValue, in shape: [Int], batch: Int) throws -> (places: [Int], run: Int) {
    guard let depth = index.shape.last, depth > 0 || index.count == 0, batch >= 0, batch < index.rank,
      batch + depth <= shape.count, Array(index.shape[..<batch]) == Array(shape[..<batch])
    else { throw ONNXProgramError(.shapesDiffer(shape, index.shape)) }
    let numbers = try index.integers()
    let run = shape[(batch + depth)...].reduce(1, *)
    let rows = depth == 0 ? index.shape.dropLast().reduce(1, *) : numbers.count / depth
    let batches = shape[..<batch].reduce(1, *)
    let inBatch = batches == 0 ? 0 : rows / batches
    let places = try (0..<rows).map { row -> Int in
      var place = inBatch == 0 ? 0 : row / inBatch
      for axis in 0..<depth {
        let (number, size) = (numbers[row * depth + axis], shape[batch + axis])
        guard number >= -size, number < size else { throw ONNXProgramError(.index(number, size: size)) }
        place = place * size + (number < 0 ? number + size : number)
      }
      return place
    }
    return (places, run)
  }

  fileprivate func gatherND() throws -> [ONNXValue] {
    let (value, index) = (try input(0), try input(1))
    let batch = try integer("batch_dims", 0)
    let (places, run) = try rowPlaces(index, in: value.shape, batch: batch)
    let shape = Array(index.shape.dropLast() + value.shape[(batch + (index.shape.last ?? 0))...])
    return [try pick(value, run == 0 ? [] : places, run: max(run, 1), shape: shape)]
  }

  private func place(_ updates: ONNXValue, in value: ONNXValue, _ places: [Int], run: Int) throws -> ONNXValue {
    guard updates.count == places.count * run, places.allSatisfy({ $0 >= 0 && ($0 + 1) * run <= value.count }) else {
      throw ONNXProgramError(.count(found: updates.count, needed: places.count * run))
    }
    let elements: Elements?
    let (wide, wideUpdates) = (value.widened.elements, updates.widened.elements)
    switch try string("reduction", "none") {
    case "none":
      elements = try value.elements.accept(PlacingVisitor(places: places, run: run, updates: updates)) ?? nil
    case "add":
      elements = try Elements.acceptNumbers(
        [wide, wideUpdates], CombiningVisitor<Arithmetic.Sum>(places: places, run: run))
    case "mul":
      elements = try Elements.acceptNumbers(
        [wide, wideUpdates], CombiningVisitor<Arithmetic.Product>(places: places, run: run))
    case "max":
      elements = try Elements.acceptNumbers(
        [wide, wideUpdates], CombiningVisitor<Arithmetic.Larger>(places: places, run: run))
    case "min":
      elements = try Elements.acceptNumbers(
        [wide, wideUpdates], CombiningVisitor<Arithmetic.Smaller>(places: places, run: run))
    case let other: throw ONNXProgramError(.badAttribute("reduction", found: other))
    }
    guard let elements else {
      throw ONNXProgramError(.dtype(found: updates.dtype, needed: value.dtype?.name ?? "a tensor"))
    }
    return try ONNXValue(shape: value.shape, elements).cast(to: dtype(of: value))
  }

  fileprivate func scatterElements() throws -> [ONNXValue] {
    let (value, index, updates) = (try input(0), try input(1), try input(2))
    let axis = try self.axis("axis", 0, rank: value.rank)
    guard index.shape == updates.shape else { throw ONNXProgramError(.shapesDiffer(index.shape, updates.shape)) }
    return [try place(updates, in: value, elementPlaces(index, in: value.shape, axis: axis), run: 1)]
  }

  fileprivate func scatterND() throws -> [ONNXValue] {
    let (value, index, updates) = (try input(0), try input(1), try input(2))
    let (places, run) = try rowPlaces(index, in: value.shape, batch: 0)
    return [try place(updates, in: value, places, run: run)]
  }

  fileprivate func tensorScatter() throws -> [ONNXValue] {
    let (cache, update) = (try input(0), try input(1))
    let axis = try self.axis("axis", -2, rank: cache.rank)
    guard axis > 0, update.rank == cache.rank,
      cache.shape.indices.allSatisfy({
        $0 == axis ? update.shape[$0] <= cache.shape[$0] : update.shape[$0] == cache.shape[$0]
      })
    else { throw ONNXProgramError(.shapesDiffer(cache.shape, update.shape)) }
    let starts = try optional(2)?.integers() ?? [Int](repeating: 0, count: cache.shape[0])
    guard starts.count == cache.shape[0] else {
      throw ONNXProgramError(.count(found: starts.count, needed: cache.shape[0]))
    }
    let isCircular = try string("mode", "linear") == "circular"
    let (size, length) = (cache.shape[axis], update.shape[axis])
    let rows = cache.shape[..<axis].reduce(1, *), run = cache.shape[(axis + 1)...].reduce(1, *)
    var places: [Int] = []
    for row in 0..<rows {
      let start = starts[row / (rows / cache.shape[0])]
      for step in 0..<length {
        let place = isCircular ? (((start + step) % size) + size) % size : start + step
        guard (0..<size).contains(place) else { throw ONNXProgramError(.index(place, size: size)) }
        places.append(row * size + place)
      }
    }
    return [try place(update, in: cache, places, run: run)]
  }

  fileprivate func compress() throws -> [ONNXValue] {
    let (value, wanted) = (try input(0), try input(1).bools())
    let isFlat = step.node.attributes["axis"] == nil
    let axis = isFlat ? 0 : try self.axis("axis", 0, rank: value.rank)
    let shape = isFlat ? [value.count] : value.shape
    let chosen = wanted.indices.filter { wanted[$0] && $0 < shape[axis] }
    let sources = shape.indices.map { $0 == axis ? chosen : Array(0..<shape[$0]) }
    return [try pick(value, Self.places(sources, in: shape), shape: sources.map(\.count))]
  }

  fileprivate func nonZero() throws -> [ONNXValue] {
    let value = try input(0)
    let flags = try value.bools()
    let places = flags.indices.filter { flags[$0] }
    let strides = rowMajorStrides(value.shape)
    _ = try count([value.rank, places.count])
    let numbers = value.shape.indices.flatMap { axis in
      places.map { Int64($0 / strides[axis] % max(value.shape[axis], 1)) }
    }
    return [ONNXValue(shape: [value.rank, places.count], numbers)]
  }

  fileprivate func oneHot() throws -> [ONNXValue] {
    let (index, depth, values) = (try input(0), try integerScalar(1), try input(2))
    guard values.count == 2, depth > 0 else {
      throw ONNXProgramError(.size(found: depth, needed: "a depth and two values"))
    }
    let axis = try self.axis("axis", -1, rank: index.rank + 1)
    var shape = index.shape
    shape.insert(depth, at: axis)
    let count = try self.count(shape)
    let numbers = try index.integers()
    let run = shape[(axis + 1)...].reduce(1, *)
    let places = (0..<count).map { place -> Int in
      let number = numbers[place / (run * depth) * run + place % run]
      guard number >= -depth, number < depth else { return 0 }
      return (number < 0 ? number + depth : number) == place / run % depth ? 1 : 0
    }
    return [try pick(values, places, shape: shape)]
  }

  fileprivate func topK() throws -> [ONNXValue] {
    let value = try input(0)
    let axis = try self.axis("axis", -1, rank: value.rank)
    let wanted = try opset < 10 ? integer("k", 1) : integerScalar(1)
    let length = value.shape[axis]
    guard (0...length).contains(wanted) else {
      throw ONNXProgramError(.size(found: wanted, needed: "at most \(length)"))
    }
    let (isLargest, isSorted) = (try flag("largest", true), try flag("sorted", true))
    let numbers = try value.doubles()
    let run = value.shape[(axis + 1)...].reduce(1, *), outer = value.shape[..<axis].reduce(1, *)
    var shape = value.shape
    shape[axis] = wanted
    let count = try self.count(shape)
    var (places, chosen) = ([Int](repeating: 0, count: count), [Int64](repeating: 0, count: count))
    for row in 0..<outer {
      for column in 0..<run {
        let start = row * length * run + column
        var order = Array(0..<length)
        // Equal numbers keep their order.
        order.sort { first, second in
          let (a, b) = (numbers[start + first * run], numbers[start + second * run])
          return a == b ? first < second : isLargest ? a > b : a < b
        }
        var best = Array(order[..<wanted])
        if !isSorted { best.sort() }
        for (step, index) in best.enumerated() {
          places[(row * wanted + step) * run + column] = start + index * run
          chosen[(row * wanted + step) * run + column] = Int64(index)
        }
      }
    }
    return [try pick(value, places, shape: shape), ONNXValue(shape: shape, chosen)]
  }

  fileprivate func unique() throws -> [ONNXValue] {
    let value = try input(0)
    let isFlat = step.node.attributes["axis"] == nil
    let flat = isFlat ? value.reshaped([value.count]) : value
    let axis = isFlat ? 0 : try self.axis("axis", 0, rank: value.rank)
    let order = [axis] + (0..<flat.rank).filter { $0 != axis }
    let rows = try transposed(flat, order)
    let numbers = try rows.doubles()
    let length = flat.shape[axis]
    let run = length == 0 ? 0 : numbers.count / length
    func key(_ row: Int) -> [Double] { Array(numbers[(row * run)..<((row + 1) * run)]) }
    var groups: [[Double]: Int] = [:]
    var firsts: [Int] = [], counts: [Int] = [], inverse: [Int] = []
    for row in 0..<length {
      if let group = groups[key(row)] {
        counts[group] += 1
        inverse.append(group)
      } else {
        groups[key(row)] = firsts.count
        inverse.append(firsts.count)
        firsts.append(row)
        counts.append(1)
      }
    }
    var ranking = Array(firsts.indices)
    if try flag("sorted", true) { ranking.sort { key(firsts[$0]).lexicographicallyPrecedes(key(firsts[$1])) } }
    var rank = [Int](repeating: 0, count: ranking.count)
    for (place, group) in ranking.enumerated() { rank[group] = place }
    let chosen = ranking.map { firsts[$0] }
    let sources = flat.shape.indices.map { $0 == axis ? chosen : Array(0..<flat.shape[$0]) }
    return [
      try pick(flat, Self.places(sources, in: flat.shape), shape: sources.map(\.count)),
      ONNXValue(shape: [chosen.count], chosen.map { Int64($0) }),
      ONNXValue(shape: [inverse.count], inverse.map { Int64(rank[$0]) }),
      ONNXValue(shape: [chosen.count], ranking.map { Int64(counts[$0]) }),
    ]
  }

  fileprivate func nonMaxSuppression() throws -> [ONNXValue] {
    let (boxes, scores) = (try input(0), try input(1))
    guard boxes.rank == 3, scores.rank == 3, boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
      boxes.shape[1] == scores.shape[2]
    else { throw ONNXProgramError(.shapesDiffer(boxes.shape, scores.shape)) }
    let most = try optional(2)?.integers().first ?? 0
    let overlap = try optional(3)?.doubles().first ?? 0
    let least = try optional(4)?.doubles().first ?? -.infinity
    let isCentred = try flag("center_point_box", false)
    let (corners, numbers) = (try boxes.doubles(), try scores.doubles())
    let (count, classes) = (boxes.shape[1], scores.shape[1])
    var kept: [Int64] = []
    for batch in 0..<boxes.shape[0] {
      let all = (0..<count).map { index in
        Box(corners[((batch * count + index) * 4)..<((batch * count + index + 1) * 4)], isCentred: isCentred)
      }
      for label in 0..<classes {
        let row = (batch * classes + label) * count
        var order = (0..<count).filter { numbers[row + $0] > least }
        order.sort { first, second in
          let (a, b) = (numbers[row + first], numbers[row + second])
          return a == b ? first < second : a > b
        }
        var chosen: [Int] = []
        for index in order {
          if chosen.count >= most { break }
          if chosen.allSatisfy({ all[$0].overlap(all[index]) <= overlap }) { chosen.append(index) }
        }
        kept += chosen.flatMap { [Int64(batch), Int64(label), Int64($0)] }
      }
    }
    return [ONNXValue(shape: [kept.count / 3, 3], kept)]
  }
}

/// A rectangle on a picture.
private struct Box {
  let low: (Double, Double), high: (Double, Double)

  /// Two opposite corners (y, x, y, x), or centre and size (x, y, width, height).
  init(_ numbers: ArraySlice<Double>, isCentred: Bool) {
    let n = Array(numbers)
    if isCentred {
      low = (n[1] - n[3] / 2, n[0] - n[2] / 2)
      high = (n[1] + n[3] / 2, n[0] + n[2] / 2)
    } else {
      low = (min(n[0], n[2]), min(n[1], n[3]))
      high = (max(n[0], n[2]), max(n[1], n[3]))
    }
  }

  private var area: Double { (high.0 - low.0) * (high.1 - low.1) }

  /// Intersection over union.
  func overlap(_ other: Box) -> Double {
    let height = min(high.0, other.high.0) - max(low.0, other.low.0)
    let width = min(high.1, other.high.1) - max(low.1, other.low.1)
    guard height > 0, width > 0 else { return 0 }
    return height * width / (area + other.area - height * width)
  }
}
