import ZooCheckpoint

/// How a TensorFlow checkpoint contradicts its format.
public enum TensorFlowError: Error, Sendable, Equatable {
  case malformedIndex(file: String, offset: Int, problem: String)
  case bigEndian(file: String)
  case noShards(file: String, count: Int)
  case malformedEntry(file: String, tensor: String, problem: String)
  case size(file: String, tensor: String, needed: Int, found: Int)
  case outside(file: String, tensor: String, shard: String, offset: Int, count: Int, size: Int)
  case checksum(file: String, tensor: String, found: UInt32, expected: UInt32)
  case noTensors(file: String)
}

extension TensorFlowError: ReportableError {
  public var report: ErrorReport {
    let damaged = "index and data are of different versions, damaged or cut short; download both again"
    switch self {
    case .malformedIndex(let file, let offset, let problem):
      return ErrorReport(.badData, file: file, place: "at byte \(offset)", problem: problem, advice: damaged)
    case .bigEndian(let file):
      return ErrorReport(
        .badData, file: file, problem: "is a big-endian checkpoint", advice: "save it on a little-endian machine")
    case .noShards(let file, let count):
      return ErrorReport(
        .badData, file: file, problem: "its data is said to be in \(count) files, expected 1 to 99999",
        advice: damaged)
    case .malformedEntry(let file, let tensor, let problem):
      return ErrorReport(.badData, file: file, place: "tensor \(tensor)", problem: problem, advice: damaged)
    case .size(let file, let tensor, let needed, let found):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)", problem: "its shape needs \(needed) bytes, it has \(found)",
        advice: damaged)
    case .outside(let file, let tensor, let shard, let offset, let count, let size):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)",
        problem: "\(count) bytes at \(offset) of \(shard), which has \(size)", advice: damaged)
    case .checksum(let file, let tensor, let found, let expected):
      return ErrorReport(
        .badData, file: file, place: "tensor \(tensor)",
        problem:
          "the bytes' CRC-32C is \(String(found, radix: 16)), expected \(String(expected, radix: 16))", advice: damaged)
    case .noTensors(let file):
      return ErrorReport(.badData, file: file, problem: "holds no tensors")
    }
  }
}
