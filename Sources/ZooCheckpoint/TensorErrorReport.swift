extension TensorError: ReportableError {
  public var report: ErrorReport {
    let problem =
      switch self {
      case .negativeSize(let shape): "shape \(shape) has a negative size"
      case .tooLarge(let shape): "shape \(shape) has more elements than can be addressed"
      case .rankMismatch(let shape, let strides):
        "shape \(shape) and strides \(strides) differ in length"
      case .negativeStride(let strides, let offset):
        "strides \(strides) or offset \(offset) are negative"
      case .outsideStorage(let shape, let strides, let offset, let last, let elements):
        "shape \(shape), strides \(strides), offset \(offset) reach element \(last), but the storage has \(elements)"
      case .expandsTooFar(let shape, let bytes, let storageBytes):
        "shape \(shape) expands \(storageBytes) stored bytes to \(bytes)"
      case .notConvertible(let from, let to): "\(from.name) can't become \(to.name)"
      case .elementCountMismatch(let from, let to): "\(from) can't be reshaped to \(to)"
      }
    return ErrorReport(.badData, problem: problem)
  }
}
