import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Stores the gradient of every trainable tensor, and the `loss`, for the tensors `input` [N, 3, H, W] and `labels` [N].
func gradients(_ checkpoint: String, _ inputFile: String, _ outputFile: String, usesBatch: Bool) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let input = try FloatTensor(try tensor("input", in: inputFile))
  let labels = try tensor("labels", in: inputFile).floats().map { Int($0) }
  let graph = try graph(of: model)
  let names = Set(graph.parameters.filter { !$0.isBuffer }.map(\.name))
  let plan = try TrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: names, inputShape: Array(input.shape.dropFirst()),
    options: TrainingOptions(dropsOut: false, batchStatistics: usesBatch ? nil : []))
  let step = try input.withValues { try plan.step($0, labels: labels) }
  var stateDict = StateDict()
  for slice in plan.layout.slices {
    stateDict[slice.name] = try Tensor(
      dtype: .float32, shape: slice.shape, storage: MemoryStorage(copying: Array(plan.gradients[slice.range])))
  }
  stateDict["loss"] = try Tensor(dtype: .float64, shape: [], storage: MemoryStorage(copying: [step.loss]))
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputFile, overwrite: true)
}
