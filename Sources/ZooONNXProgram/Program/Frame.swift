import ZooCheckpoint

/// The values of one run, by place.
final class Frame {
  let limits: ONNXLimits
  private(set) var values: [ONNXValue?]
  /// Bytes of the values that this run made and still holds.
  private(set) var bytes = 0
  private var sizes: [Int]
  private var steps = 0
  /// Differs for every random number of a run; the same in every run.
  var generator = SeededGenerator(seed: 0x9E37_79B9_7F4A_7C15)

  init(values: [ONNXValue?], limits: ONNXLimits) {
    self.values = values
    self.limits = limits
    sizes = [Int](repeating: 0, count: values.count)
  }

  func store(_ value: ONNXValue?, at place: Int) throws {
    bytes -= sizes[place]
    sizes[place] = value?.byteCount ?? 0
    bytes += sizes[place]
    values[place] = value
    guard bytes <= limits.memory else { throw ONNXProgramError(.tooMuchMemory(bytes: bytes, limit: limits.memory)) }
  }

  func release(_ place: Int) {
    bytes -= sizes[place]
    sizes[place] = 0
    values[place] = nil
  }

  /// The number of elements of a value to be made.
  ///
  /// - Throws: ``ONNXProgramError`` where it would go beyond the limit.
  func count(_ shape: [Int], size: Int) throws -> Int {
    guard let count = ONNXValue.elementCount(shape), count <= max(limits.memory - bytes, 0) / max(size, 1) else {
      throw ONNXProgramError(.tooLarge(shape: shape, limit: limits.memory))
    }
    return count
  }

  func countStep() throws {
    steps += 1
    guard steps <= limits.steps else { throw ONNXProgramError(.tooManySteps(limit: limits.steps)) }
  }

  func run(_ block: Block, kernels: NativeKernels) throws {
    for (index, step) in block.steps.enumerated() {
      try countStep()
      do { try run(step, kernels: kernels) } catch var error as ONNXProgramError {
        if error.node == nil { (error.node, error.operatorName) = (step.node.name, step.node.operatorName) }
        throw error
      }
      for place in block.releases[index] { release(place) }
    }
  }

  private func run(_ step: Step, kernels: NativeKernels) throws {
    let inputs = step.inputs.map { $0.flatMap { values[$0] } }
    let results = try step.kernel(KernelCall(step: step, inputs: inputs, frame: self, kernels: kernels))
    for (index, place) in step.outputs.enumerated() {
      guard let place else { continue }
      guard index < results.count else { throw ONNXProgramError(.count(found: results.count, needed: index + 1)) }
      try store(results[index], at: place)
    }
  }
}

extension Frame {
  /// In [0, 1).
  func random() -> Double { generator.uniform() }
}
