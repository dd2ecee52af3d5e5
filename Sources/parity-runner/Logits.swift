import ZooCheckpoint
import ZooEngine

/// Runs the checkpoint's network on the tensor `input` [N, 3, H, W] and stores `logits` [N, classes].
func logits(_ checkpoint: String, _ inputFile: String, _ outputFile: String) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let input = try FloatTensor(try tensor("input", in: inputFile))
  let plan = try compile(graph(of: model), weights: model.stateDict.floatWeights(), inputShape: input.shape)
  let results = try plan.run(input)
  var stateDict = StateDict()
  stateDict["logits"] = try Tensor(
    dtype: .float32, shape: results[0].shape, storage: MemoryStorage(copying: results[0].values()))
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputFile, overwrite: true)
}

/// Times runs of the network on zeros.
func time(_ checkpoint: String, _ numbers: [Int]) throws {
  let (batch, size, threads, runs) = (numbers[0], numbers[1], numbers[2], numbers[3])
  let model = try Checkpoint.open(path: checkpoint)
  let shape = [batch, 3, size, size]
  let plan = try compile(
    graph(of: model), weights: model.stateDict.floatWeights(), inputShape: shape,
    options: CompileOptions(threads: threads))
  let input = (0..<shape.reduce(1, *)).map { Float($0 % 251) / 125 - 1 }
  var output = [Float](repeating: 0, count: plan.outputShapes[0].reduce(1, *))
  let clock = ContinuousClock()
  for run in 0..<(runs + 3) {
    let duration = try clock.measure {
      try input.withUnsafeBufferPointer { from in
        try output.withUnsafeMutableBufferPointer { try plan.run(from, into: $0) }
      }
    }
    if run >= 3 { print(duration / .seconds(1)) }
  }
}
