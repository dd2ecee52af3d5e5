import Foundation
import ZooCheckpoint
import ZooFormats
import ZooONNXProgram

/// Runs ONNX models on given inputs, one a line of the list: MODEL INPUTS OUTPUTS, separated by tabs.
///
/// Inputs and outputs are safetensors files with the tensors by their names in the model. Prints a line for each model:
/// `ok`, or what went wrong.
func runONNXModels(list: String) throws {
  let lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n")
  for line in lines {
    let paths = line.split(separator: "\t").map(String.init)
    guard paths.count == 3 else { throw RunnerError.noTensor(file: list, name: String(line)) }
    do {
      try runONNXModel(paths[0], inputs: paths[1], outputs: paths[2])
      print("ok")
    } catch let error as any ReportableError {
      print(error.report.line)
    }
  }
}

private func runONNXModel(_ path: String, inputs: String, outputs: String) throws {
  let program = try onnxProgram(path)
  let results = try program.run(onnxInputs(inputs))
  var stateDict = StateDict()
  for (name, value) in results { stateDict[name] = try value.tensor() }
  try CheckpointWriter.write(stateDict, metadata: CheckpointMetadata(), to: outputs, overwrite: true)
}

/// Times runs of a model, seconds of each, one a line.
func timeONNXModel(_ path: String, inputs: String, runs: Int) throws {
  let program = try onnxProgram(path)
  let values = try onnxInputs(inputs)
  let clock = ContinuousClock()
  for run in 0..<(runs + 1) {
    let duration = try clock.measure { _ = try program.run(values) }
    if run > 0 { print(duration / .seconds(1)) }
  }
}

private func onnxProgram(_ path: String) throws -> ONNXProgram {
  guard let model = try WeightFile.open(path: path).onnx else { throw RunnerError.noTensor(file: path, name: "graph") }
  return try ONNXProgram(model)
}

private func onnxInputs(_ path: String) throws -> [String: ONNXValue] {
  var values: [String: ONNXValue] = [:]
  for (name, tensor) in try SafetensorsReader.read(MappedFile(path: path)).stateDict.tensors {
    values[name] = try ONNXValue(tensor)
  }
  return values
}
