import ZooCheckpoint

extension PyTorchError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(.badData, file: file, place: place, problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .dangerousCallable(let name): "names \(name), which runs code when a pickle calls it"
    case .noTensors(let root): "holds no tensors, only \(root)"
    case .malformed(let what, let found, let expected): "\(what) is \(found), expected \(expected)"
    case .unsupportedTensor(let kind): "is a \(kind) tensor, which this version doesn't read"
    case .unknownStorage(let name): "has elements of \(name), which this version doesn't read"
    case .missingStorage(let key): "its storage \(key) is not in the file"
    case .storageSize(let key, let claimed, let found): "storage \(key) has \(found) bytes, but \(claimed) are claimed"
    case .outsideStorage(let error): error.report.problem
    case .overLimit(let what, let limit): "more than \(limit) \(what)"
    case .truncated(let needed, let remaining): "needs \(needed) bytes, but \(remaining) are left"
    case .trailingBytes(let count): "\(count) bytes follow the last storage"
    case .expandsTooFar(let bytes, let limit): "its tensors would expand to \(bytes) bytes, more than \(limit)"
    }
  }

  private var advice: String? {
    switch fault {
    case .dangerousCallable: "nothing was run; use --salvage to take the tensors alone"
    case .unsupportedTensor, .unknownStorage: "use --salvage to take the other tensors"
    case .noTensors: "check that it is a checkpoint"
    case .missingStorage, .truncated: "the file is cut short; download it again"
    case .overLimit, .trailingBytes, .expandsTooFar: "no weight file needs that; don't trust its source"
    case .malformed, .storageSize, .outsideStorage: "the file is damaged; download it again"
    }
  }
}
