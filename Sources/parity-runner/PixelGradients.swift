import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Stores the gradient of every tensor that is computed with, and the `loss`, of a segmentation network for the tensors
/// `input` [N, 3, H, W], `truth` [N, H, W] with 255 where pixels are ignored, and `weights` of the classes.
func pixelGradients(_ checkpoint: String, _ inputFile: String, _ outputFile: String) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let input = try FloatTensor(try tensor("input", in: inputFile))
  let truth = try tensor("truth", in: inputFile).floats().map { UInt8($0) }
  let weights = try tensor("weights", in: inputFile).floats()
  let graph = try graph(of: model)
  let used = Set(graph.nodes.flatMap(\.inputs))
  let names = Set(graph.parameters.filter { !$0.isBuffer && used.contains($0.value) }.map(\.name))
  let plan = try TrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: names, inputShape: Array(input.shape.dropFirst()),
    options: TrainingOptions(dropsOut: false, batchStatistics: []))
  let loss = PixelCrossEntropy(classes: weights.count, weights: weights)
  let step = try input.withValues { values in
    try plan.step(values, batch: input.shape[0]) { logits, _, gradient in
      let outcome = try logits.withUnsafeBufferPointer { logits in
        try gradient.withUnsafeMutableBufferPointer {
          try loss.loss(logits, truth: truth, pictures: input.shape[0], gradient: $0)
        }
      }
      return outcome.loss / outcome.weight
    }
  }
  var stateDict = StateDict()
  for slice in plan.layout.slices where names.contains(slice.name) {
    stateDict[slice.name] = try Tensor(
      dtype: .float32, shape: slice.shape, storage: MemoryStorage(copying: Array(plan.gradients[slice.range])))
  }
  stateDict["loss"] = try Tensor(dtype: .float64, shape: [], storage: MemoryStorage(copying: [step.loss]))
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputFile, overwrite: true)
}
