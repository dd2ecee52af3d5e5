import Foundation
import ZooCheckpoint
import ZooEngine

/// What a network of sequences is trained on: token ids, those of a decoder, and a column for each row of the output, -1
/// for none.
struct SequenceTask: Decodable {
  let ids: [[Int]]
  let decoder: [[Int]]?
  let targets: [Int]

  var batch: SequenceBatch { SequenceBatch(.tokens(SequenceInput(ids: ids)), decoder: decoder) }
}

/// Stores the gradient of every parameter under its name, and `loss`; nothing drops out.
func sequenceGradients(_ checkpoint: String, _ taskFile: String, _ outputFile: String) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let task = try JSONDecoder().decode(SequenceTask.self, from: Data(contentsOf: URL(filePath: taskFile)))
  let graph = try graph(of: model)
  let plan = try SequenceTrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: Set(graph.parameters.map(\.name)),
    options: TrainingOptions(dropsOut: false))
  let outcome = try plan.step(task.batch, SequenceTargets(task.targets))
  var stateDict = StateDict()
  stateDict["loss"] = try Tensor(
    dtype: .float32, shape: [], storage: MemoryStorage(copying: [Float(outcome.loss / Double(outcome.count))]))
  for slice in plan.layout.slices {
    stateDict[slice.name] = try Tensor(
      dtype: .float32, shape: slice.shape, storage: MemoryStorage(copying: Array(plan.gradients[slice.range])))
  }
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputFile, overwrite: true)
}
