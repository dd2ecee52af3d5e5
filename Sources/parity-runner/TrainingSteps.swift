import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

/// Trains all of a network on random pictures: prints the seconds of each step, forward, backward and SGD, a line each,
/// then the process's peak memory in bytes.
///
/// - Parameter numbers: batch, side of the pictures, threads, steps.
func timeTraining(_ checkpoint: String, _ numbers: [Int]) throws {
  let (batch, side, threads, steps) = (numbers[0], numbers[1], numbers[2], numbers[3])
  let model = try Checkpoint.open(path: checkpoint)
  let graph = try graph(of: model)
  let names = Set(graph.parameters.filter { !$0.isBuffer }.map(\.name))
  let plan = try TrainingPlan(
    graph: graph, weights: model.stateDict.floatWeights(), trainable: names, inputShape: [3, side, side],
    options: TrainingOptions(threads: threads))
  var generator = SystemRandomNumberGenerator()
  let input = (0..<batch * 3 * side * side).map { _ in Float.random(in: -2...2, using: &generator) }
  let labels = (0..<batch).map { $0 }
  var momentum = [Float](repeating: 0, count: plan.parameters.count)
  for _ in 0..<steps {
    let start = ContinuousClock.now
    _ = try input.withUnsafeBufferPointer { try plan.step($0, labels: labels) }
    plan.parameters.withUnsafeMutableBufferPointer { parameters in
      plan.gradients.withUnsafeBufferPointer { gradient in
        momentum.withUnsafeMutableBufferPointer { momentum in
          OptimizerKernels.sgd(
            0..<parameters.count, parameters: parameters, gradient: gradient, momentum: momentum, rate: 1e-3,
            decay: 1e-4, scale: 1)
        }
      }
    }
    let took = ContinuousClock.now - start
    print(Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18)
  }
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  print(usage.ru_maxrss * 1024)
}
