import ZooCatalog
import ZooCheckpoint
import ZooGraph

/// The network that a checkpoint's `zoo.config` describes.
func graph(of checkpoint: Checkpoint) throws -> Graph {
  guard let config = checkpoint.metadata.config else { throw RunnerError.noConfig(file: checkpoint.path) }
  return try Catalog.graph(forConfig: config)
}

/// One tensor of a safetensors file.
func tensor(_ name: String, in file: String) throws -> Tensor {
  guard let tensor = try SafetensorsReader.read(MappedFile(path: file)).stateDict[name] else {
    throw RunnerError.noTensor(file: file, name: name)
  }
  return tensor
}

enum RunnerError: Error {
  case noConfig(file: String)
  case noTensor(file: String, name: String)
  case noOptimizer(arguments: [String])
}

extension RunnerError: ReportableError {
  var report: ErrorReport {
    switch self {
    case .noConfig(let file):
      ErrorReport(.badData, file: file, problem: "has no zoo.config with family, config and classes")
    case .noTensor(let file, let name):
      ErrorReport(.badData, file: file, place: "tensor \(name)", problem: "is missing")
    case .noOptimizer(let arguments):
      ErrorReport(
        .usage, problem: "\(arguments.joined(separator: " ")) is no optimizer, rate and decay",
        advice: "such as: adamw 1e-3 0.05")
    }
  }
}
