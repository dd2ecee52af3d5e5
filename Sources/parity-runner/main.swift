import Foundation
import ZooCheckpoint
import ZooEngine
import ZooGraph

// What Tests/Parity and Benchmarks drive: raw tensors in, raw tensors out, no pictures.
//
//   parity-runner logits CHECKPOINT INPUT.safetensors OUTPUT.safetensors
//   parity-runner gradients CHECKPOINT INPUT.safetensors OUTPUT.safetensors --statistics frozen|batch
//   parity-runner steps CHECKPOINT BATCHES.safetensors OPTIMIZER RATE DECAY frozen|batch   losses, one a line
//   parity-runner pixel-gradients CHECKPOINT INPUT.safetensors OUTPUT.safetensors
//   parity-runner sequences CHECKPOINT TEXTS.json OUTPUT.safetensors [PRECISION]
//   parity-runner sequence-gradients CHECKPOINT TASK.json OUTPUT.safetensors
//   parity-runner sequence-steps CHECKPOINT TASKS.json OPTIMIZER RATE DECAY
//   parity-runner sequences-time CHECKPOINT LENGTH TOKENS THREADS RUNS PRECISION
//   parity-runner onnx LIST                              models, each with its inputs and outputs (see ONNXNodes.swift)
//   parity-runner onnx-time MODEL INPUTS.safetensors RUNS
//   parity-runner time CHECKPOINT BATCH SIZE THREADS RUNS        seconds of each run, one a line
//   parity-runner training-time CHECKPOINT BATCH SIZE THREADS STEPS    seconds of each step, then bytes of peak memory
let arguments = CommandLine.arguments
do {
  switch arguments.dropFirst().first {
  case "logits" where arguments.count >= 5: try logits(arguments[2], arguments[3], arguments[4])
  case "gradients" where arguments.count >= 7:
    try gradients(arguments[2], arguments[3], arguments[4], usesBatch: arguments[6] == "batch")
  case "steps" where arguments.count >= 8:
    try steps(arguments[2], arguments[3], try recipe(arguments[4...6]), usesBatch: arguments[7] == "batch")
  case "sequence-steps" where arguments.count >= 7:
    try sequenceSteps(arguments[2], arguments[3], try recipe(arguments[4...6]))
  case "pixel-gradients" where arguments.count >= 5: try pixelGradients(arguments[2], arguments[3], arguments[4])
  case "time" where arguments.count >= 7: try time(arguments[2], arguments[3...6].compactMap { Int($0) })
  case "training-time" where arguments.count >= 7:
    try timeTraining(arguments[2], arguments[3...6].compactMap { Int($0) })
  case "sequences" where arguments.count >= 5:
    try sequences(
      arguments[2], arguments[3], arguments[4],
      precision: SequencePrecision(rawValue: arguments.dropFirst(5).first ?? "") ?? .float32)
  case "sequence-gradients" where arguments.count >= 5:
    try sequenceGradients(arguments[2], arguments[3], arguments[4])
  case "sequences-time" where arguments.count >= 8:
    try timeSequences(
      arguments[2], arguments[3...6].compactMap { Int($0) },
      precision: SequencePrecision(rawValue: arguments[7]) ?? .float32)
  case "onnx" where arguments.count >= 3: try runONNXModels(list: arguments[2])
  case "onnx-time" where arguments.count >= 5:
    try timeONNXModel(arguments[2], inputs: arguments[3], runs: Int(arguments[4]) ?? 1)
  default:
    FileHandle.standardError.write(
      Data(
        "usage: parity-runner VERB …, a line for each in Sources/parity-runner/main.swift\n".utf8))
    exit(64)
  }
} catch let error as any ReportableError {
  FileHandle.standardError.write(Data((error.report.line + "\n").utf8))
  exit(error.report.kind.rawValue)
}
