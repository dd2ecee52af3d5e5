import Foundation
import ZooCheckpoint
import ZooEngine
import ZooFormats
import ZooONNX
import ZooONNXProgram

/// Runs an ONNX model: the fast engine where it knows every step, else the interpreter.
enum ONNXEngine: Sendable {
  case native(Plan, givesProbabilities: Bool)
  case program(ONNXProgram, input: String)

  /// - Throws: ``ModelError``, `EngineError`, `ONNXProgramError`.
  init(_ model: ONNXModel, input: ONNXPictureInput, file: String, threads: Int?) throws {
    if !input.isChannelsLast, let network = NativeNetwork(model) {
      let plan = try compile(
        network.graph, weights: network.stateDict.floatWeights(),
        inputShape: [input.batch, 3] + input.preprocessing.size, options: CompileOptions(threads: threads))
      self = .native(plan, givesProbabilities: network.endsInSoftmax)
    } else {
      self = .program(try ONNXProgram(model), input: input.name)
    }
  }

  /// A number a class for the first picture of the batch, as logits.
  ///
  /// - Throws: `EngineError`, `ONNXProgramError`.
  func scores(_ pictures: FloatTensor) throws -> [Float] {
    let output: FloatTensor
    var givesProbabilities = false
    switch self {
    case .native(let plan, let isSoftmax):
      output = try plan.run(pictures)[0]
      givesProbabilities = isSoftmax
    case .program(let program, let input):
      let results = try program.run([input: ONNXValue(pictures)])
      guard let name = program.outputs.first, let first = results[name] else {
        return []
      }
      output = try first.floatTensor()
    }
    let count = output.count / max(pictures.shape[0], 1)
    let scores = Array(try output.values().prefix(count))
    // Probabilities add up to one; logits do so by chance only, and then the order is the same.
    let sum = scores.reduce(0, +)
    givesProbabilities = givesProbabilities || (abs(sum - 1) < 1e-3 && scores.allSatisfy { (0...1.001).contains($0) })
    return givesProbabilities ? scores.map { log(max($0, .leastNormalMagnitude)) } : scores
  }
}
