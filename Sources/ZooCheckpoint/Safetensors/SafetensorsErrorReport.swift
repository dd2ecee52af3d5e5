extension SafetensorsError: ReportableError {
  public var report: ErrorReport {
    let cutShort = "the file is damaged or cut short; download it again"
    switch self {
    case .headerTooLarge(let file, let size, let limit):
      return ErrorReport(
        .badData, file: file, place: "at byte 0",
        problem: "the header's size is given as \(size) bytes, at most \(limit) are possible", advice: cutShort)
    case .malformedHeader(let file, let offset, let problem):
      return ErrorReport(.badData, file: file, place: "header, at byte \(offset)", problem: problem, advice: cutShort)
    case .unknownDType(let file, let tensor, let dtype):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "dtype \(dtype) is not one that zoo reads",
        advice: "convert that tensor in its own framework first")
    case .sizeMismatch(let file, let tensor, let shape, let dtype, let needed, let range):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)",
        problem:
          "shape \(shape) of \(dtype.name) needs \(needed) bytes, data_offsets \(range) give \(range[1] - range[0])",
        advice: cutShort)
    case .tooLarge(let file, let tensor, let shape):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)",
        problem: "shape \(shape) has more elements than can be addressed",
        advice: cutShort)
    case .notAdjacent(let file, let tensor, let begins, let expected):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)",
        problem: "begins at \(begins) of the data section, expected \(expected): ranges overlap or leave a gap",
        advice: cutShort)
    case .dataSize(let file, let described, let found):
      return ErrorReport(
        .badData, file: file, problem: "the header describes \(described) bytes of data, the file has \(found)",
        advice: cutShort)
    }
  }
}
