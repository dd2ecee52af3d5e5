import ZooCheckpoint

extension OperatorTable {
  /// Branches and loops.
  static let controlFlow: [String: Kernel] = [
    "If": { try $0.branch() },
    "Loop": { try $0.loop() },
    "Scan": { try $0.scan() },
  ]
}

extension KernelCall {
  fileprivate func branch() throws -> [ONNXValue] {
    guard let condition = try input(0).bools().first else { throw ONNXProgramError(.empty) }
    return try run(condition ? "then_branch" : "else_branch", [])
  }

  fileprivate func loop() throws -> [ONNXValue] {
    guard let body = step.bodies["body"] else { throw ONNXProgramError(.missingAttribute("body")) }
    let most = try optional(0)?.integers().first ?? .max
    var goesOn = try optional(1)?.bools().first ?? true
    var carried = Array(inputs.dropFirst(2)).compactMap { $0 }
    let collectedCount = body.outputs.count - 1 - carried.count
    guard collectedCount >= 0, body.inputs.count == carried.count + 2 else {
      throw ONNXProgramError(.count(found: body.outputs.count, needed: carried.count + 1))
    }
    var collected = [[ONNXValue]](repeating: [], count: collectedCount)
    var (turn, bytes) = (0, 0)
    while goesOn, turn < most {
      let results = try run("body", [ONNXValue(scalar: Int64(turn)), ONNXValue(scalar: goesOn)] + carried)
      goesOn = try results[0].bools().first ?? false
      carried = Array(results[1..<(carried.count + 1)])
      for (index, value) in results.dropFirst(1 + carried.count).enumerated() {
        collected[index].append(value)
        bytes += value.byteCount + 64
      }
      guard bytes <= frame.limits.memory else {
        throw ONNXProgramError(.tooMuchMemory(bytes: bytes, limit: frame.limits.memory))
      }
      turn += 1
      try frame.countStep()
    }
    return try carried + collected.map { try stacked($0, axis: 0) }
  }

  /// Values of one shape along a new axis.
  func stacked(_ values: [ONNXValue], axis: Int) throws -> ONNXValue {
    guard let first = values.first else { return ONNXValue(shape: [0], [Float]()) }
    guard axis <= first.rank else { throw ONNXProgramError(.axis(axis, rank: first.rank + 1)) }
    var shape = first.shape
    shape.insert(1, at: axis)
    return try joined(
      values.map { value in
        guard value.shape == first.shape else { throw ONNXProgramError(.shapesDiffer(first.shape, value.shape)) }
        return value.reshaped(shape)
      }, axis: axis)
  }

  fileprivate func scan() throws -> [ONNXValue] {
    guard let body = step.bodies["body"] else { throw ONNXProgramError(.missingAttribute("body")) }
    let scanned = try integer("num_scan_inputs", 1)
    // In opset 8 an input for the lengths comes first, and every value has a batch axis.
    let values = Array(inputs.dropFirst(opset < 9 ? 1 : 0)).compactMap { $0 }
    let states = values.count - scanned
    guard scanned > 0, states >= 0, body.inputs.count == values.count, body.outputs.count >= states else {
      throw ONNXProgramError(.count(found: values.count, needed: body.inputs.count))
    }
    guard opset < 9 else { return try scan(values, states: states, outputs: body.outputs.count) }
    let batch = values.first?.shape.first ?? 0
    let runs = try (0..<batch).map { row in
      let slices = try values.map { value in
        guard value.rank > 0, row < value.shape[0] else { throw ONNXProgramError(.index(row, size: batch)) }
        return try part(value, axis: 0, start: row, size: 1).reshaped(Array(value.shape.dropFirst()))
      }
      return try scan(slices, states: states, outputs: body.outputs.count)
    }
    return try body.outputs.indices.map { output in try stacked(runs.map { $0[output] }, axis: 0) }
  }

  private func scan(_ values: [ONNXValue], states: Int, outputs: Int) throws -> [ONNXValue] {
    let scanned = Array(values[states...])
    func list(_ name: String, _ count: Int) throws -> [Int] {
      let list = try integers(name) ?? [Int](repeating: 0, count: count)
      guard list.count == count else { throw ONNXProgramError(.count(found: list.count, needed: count)) }
      return list
    }
    let directions = try list(opset < 9 ? "directions" : "scan_input_directions", scanned.count)
    let axes = try zip(scanned, list("scan_input_axes", scanned.count)).map { try axis($1, rank: $0.rank) }
    let outputDirections = try list("scan_output_directions", outputs - states)
    let outputAxes = try list("scan_output_axes", outputs - states)
    let length = scanned[0].shape[axes[0]]
    guard zip(scanned, axes).allSatisfy({ $0.shape[$1] == length }) else {
      throw ONNXProgramError(.shapesDiffer(scanned[0].shape, scanned.last?.shape ?? []))
    }
    var carried = Array(values[..<states])
    var collected = [[ONNXValue]](repeating: [], count: outputs - states)
    for turn in 0..<length {
      let slices = try scanned.indices.map { index in
        let place = directions[index] == 1 ? length - 1 - turn : turn
        var shape = scanned[index].shape
        shape.remove(at: axes[index])
        return try part(scanned[index], axis: axes[index], start: place, size: 1).reshaped(shape)
      }
      let results = try run("body", carried + slices)
      carried = Array(results[..<states])
      for (index, value) in results[states...].enumerated() { collected[index].append(value) }
      try frame.countStep()
    }
    return try carried
      + collected.indices.map { index in
        let ordered = outputDirections[index] == 1 ? collected[index].reversed() : collected[index]
        return try stacked(ordered, axis: axis(outputAxes[index], rank: (ordered.first?.rank ?? 0) + 1))
      }
  }
}
