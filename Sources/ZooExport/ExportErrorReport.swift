import ZooCheckpoint

extension ExportError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .targetNotWritten(let target):
      ErrorReport(
        .usage, problem: "--to \(target.rawValue): this version doesn't write it",
        advice: "it writes " + ExportTarget.available.map(\.rawValue).joined(separator: ", "))
    case .outputIsInput(let file):
      ErrorReport(.cannotCreate, file: file, problem: "is the file to be exported", advice: "give another name with -o")
    case .unknownNetwork(let file, let target):
      ErrorReport(
        .badData, file: file,
        problem: "is no network of the catalogue, so that \(target.rawValue) can't be told what its tensors are for",
        advice: "torch, safetensors, npz and gguf take any tensors")
    case .operation(let node, let target):
      ErrorReport(
        .unavailable, place: node, problem: "is an operation that is not written to \(target.rawValue) yet",
        advice: "torch, safetensors, npz and gguf take the weights of any network")
    case .missingTensor(let file, let tensor):
      ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "the network needs it, and the file lacks it",
        advice: "torch, safetensors, npz and gguf take weights without their head")
    case .tensor(let file, let tensor, let target, let problem, let advice):
      ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "\(problem), which \(target.rawValue) can't hold",
        advice: advice)
    }
  }
}
