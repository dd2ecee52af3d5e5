import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph
import ZooTraining

/// Trains all of a network on made-up pictures: prints the seconds of each step, forward, backward and SGD, a line each,
/// then the process's peak memory in bytes.
///
/// - Parameter numbers: batch, side of the pictures, threads, steps.
func timeTraining(_ checkpoint: String, _ numbers: [Int]) throws {
  let (batch, side, threads, steps) = (numbers[0], numbers[1], numbers[2], numbers[3])
  let model = try Checkpoint.open(path: checkpoint)
  let graph = try graph(of: model)
  let recipe = try Recipe(kind: .scratch, learningRate: 1e-3, optimizer: .sgd, weightDecay: 1e-4)
  let groups = try allGroups(graph, recipe)
  let plan = try TrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: groups.trainable, inputShape: [3, side, side],
    options: TrainingOptions(threads: threads))
  var descent = GradientDescent(recipe: recipe, groups: groups.groups(of: plan.layout), count: plan.parameters.count)
  let input = (0..<batch * 3 * side * side).map { Float($0 % 251) / 125 - 1 }
  let labels = Array(0..<batch)
  let clock = ContinuousClock()
  for _ in 0..<steps {
    let duration = try clock.measure {
      _ = try input.withUnsafeBufferPointer { try plan.step($0, labels: labels) }
      descent.apply(plan.gradients, to: &plan.parameters, learningRate: recipe.learningRate)
    }
    print(duration / .seconds(1))
  }
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  print(usage.ru_maxrss * 1024)
}
