import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooTraining

/// Optimizer, learning rate and weight decay as the arguments give them; every parameter learns at the rate itself.
func recipe(_ arguments: ArraySlice<String>) throws -> Recipe {
  let values = Array(arguments)
  guard let method = Recipe.Method(rawValue: values[0]), let rate = Double(values[1]), let decay = Double(values[2])
  else { throw RunnerError.noOptimizer(arguments: values) }
  return try Recipe(kind: .scratch, learningRate: rate, optimizer: method, weightDecay: decay)
}

/// A step for each of `input.0` and `labels.0`, `input.1` and so on; prints the loss before each step. Nothing drops out.
func steps(_ checkpoint: String, _ batchesFile: String, _ recipe: Recipe, usesBatch: Bool) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let batches = try SafetensorsReader.read(MappedFile(path: batchesFile)).stateDict
  let graph = try graph(of: model)
  let groups = try allGroups(graph, recipe)
  let first = try tensor("input.0", in: batchesFile)
  let plan = try TrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: groups.trainable,
    inputShape: Array(first.shape.dropFirst()),
    options: TrainingOptions(dropsOut: false, batchStatistics: usesBatch ? nil : []))
  var descent = GradientDescent(recipe: recipe, groups: groups.groups(of: plan.layout), count: plan.parameters.count)
  var place = 0
  while let batch = batches["input.\(place)"] {
    let labels = try tensor("labels.\(place)", in: batchesFile).floats().map { Int($0) }
    let step = try FloatTensor(batch).withValues { try plan.step($0, labels: labels) }
    print(step.loss)
    descent.apply(plan.gradients, to: &plan.parameters, learningRate: recipe.learningRate)
    place += 1
  }
}

/// The same for a network of sequences and a list of tasks, each as `sequence-gradients` takes one.
func sequenceSteps(_ checkpoint: String, _ tasksFile: String, _ recipe: Recipe) throws {
  let model = try Checkpoint.open(path: checkpoint)
  let tasks = try JSONDecoder().decode([SequenceTask].self, from: Data(contentsOf: URL(filePath: tasksFile)))
  let graph = try graph(of: model)
  let groups = try allGroups(graph, recipe)
  let plan = try SequenceTrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: groups.trainable,
    options: TrainingOptions(dropsOut: false))
  var descent = GradientDescent(recipe: recipe, groups: groups.groups(of: plan.layout), count: plan.parameters.count)
  for task in tasks {
    let outcome = try plan.step(task.batch, SequenceTargets(task.targets))
    print(outcome.loss / Double(outcome.count))
    descent.apply(plan.gradients, to: &plan.parameters, learningRate: recipe.learningRate)
  }
}

func allGroups(_ graph: Graph, _ recipe: Recipe) throws -> ParameterGroups {
  try ParameterGroups(graph: graph, recipe: recipe, head: [], unfrozen: graph.stages.count - 1)
}
