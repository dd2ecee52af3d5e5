import ZooCheckpoint

extension NumPyError: ReportableError {
  public var report: ErrorReport {
    ErrorReport(.badData, file: file, place: array.map { "array \($0)" }, problem: problem, advice: advice)
  }

  private var problem: String {
    switch fault {
    case .notAnArray(let found): "starts with \(found), expected \\x93NUMPY"
    case .version(let version): "is of format version \(version), expected 1, 2 or 3"
    case .headerTooLong(let count, let limit): "has a header of \(count) bytes, at most \(limit) are possible"
    case .malformedHeader(let offset, let problem): "its header is malformed at byte \(offset): \(problem)"
    case .objects: "holds Python objects, which are a pickle that may run code"
    case .unsupportedType(let type): "is of type \(type), expected whole or floating-point numbers or booleans"
    case .size(let needed, let found): "its shape needs \(needed) bytes, the file has \(found)"
    case .tooLarge(let shape): "shape \(shape) has more elements than can be addressed"
    case .noTensors(let arrays): "holds \(arrays) arrays, none of them numbers"
    }
  }

  private var advice: String? {
    switch fault {
    case .objects: "save plain arrays: np.savez(f, **{name: np.asarray(value, dtype=np.float32) …})"
    case .unsupportedType, .noTensors: "convert it to numbers first"
    case .version: nil
    default: "the file is damaged or cut short; save it again"
    }
  }
}
