import ZooCheckpoint

/// A written checkpoint read again and held against its source, tensor by tensor.
public struct Rereading: Sendable, Encodable {
  /// Tensors whose every bit is the source's.
  public private(set) var identical = 0
  /// Tensors of another dtype whose every value is the source's, rounded.
  public private(set) var rounded = 0

  /// - Throws: ``RereadingError``, ``TensorError``, ``FileError``, and what opening the checkpoint throws.
  init(_ written: WrittenCheckpoint, source: StateDict, dtype: DType?) throws {
    let checkpoint = try Checkpoint.open(path: written.path)
    let digest = try checkpoint.dataDigest()
    guard digest == written.digest, checkpoint.metadata.digest == digest else {
      throw RereadingError.digest(file: written.path, expected: written.digest, found: digest)
    }
    for name in checkpoint.stateDict.names where source[name] == nil {
      throw RereadingError.tensor(file: written.path, name: name, problem: "is not in the source")
    }
    for (name, tensor) in source.tensors {
      func fail(_ problem: String) -> RereadingError {
        .tensor(file: written.path, name: name, problem: problem)
      }
      guard let found = checkpoint.stateDict[name] else { throw fail("is missing") }
      guard found.shape == tensor.shape else { throw fail("has shape \(found.shape), the source \(tensor.shape)") }
      let wanted = tensor.written(as: dtype)
      guard found.dtype == wanted else { throw fail("is \(found.dtype.name), expected \(wanted.name)") }
      if wanted == tensor.dtype {
        guard try found.isSame(as: tensor) else { throw fail("has other bytes than the source") }
        identical += 1
      } else {
        if let problem = try Self.firstDifference(tensor, found) { throw fail(problem) }
        rounded += 1
      }
    }
  }

  /// The first value that is not the source's rounded to the written dtype; nil where all are.
  private static func firstDifference(_ source: Tensor, _ written: Tensor) throws -> String? {
    let precision = written.dtype.rounding
    return try FloatTensor(source).withValues { source in
      try FloatTensor(written).withValues { found in
        for index in source.indices {
          let (a, b) = (Double(source[index]), Double(found[index]))
          if a == b || a.isNaN && b.isNaN { continue }
          if abs(a - b) <= abs(a) * precision.relative * 1.001 + precision.absolute { continue }
          return "value \(index) was \(source[index]) and is \(found[index]) in \(written.dtype.name)"
        }
        return nil
      }
    }
  }
}

extension DType {
  /// The largest error of rounding to nearest: a share of the value, and half the least step near zero.
  fileprivate var rounding: (relative: Double, absolute: Double) {
    switch self {
    case .float16: (0x1p-11, 0x1p-25)
    case .bfloat16: (0x1p-8, 0x1p-134)
    case .float8E4M3: (0x1p-4, 0x1p-10)
    case .float8E5M2: (0x1p-3, 0x1p-17)
    default: (0x1p-24, 0x1p-150)
    }
  }
}

/// What was written is not what was read.
public enum RereadingError: Error, Sendable, Equatable {
  case digest(file: String, expected: String, found: String)
  case tensor(file: String, name: String, problem: String)
}

extension RereadingError: ReportableError {
  public var report: ErrorReport {
    switch self {
    case .digest(let file, let expected, let found):
      ErrorReport(
        .checkFailed, file: file,
        problem: "read again, its data has digest \(found.prefix(16))…, \(expected.prefix(16))… was written")
    case .tensor(let file, let name, let problem):
      ErrorReport(.checkFailed, file: file, place: "tensor \(name)", problem: "read again, it \(problem)")
    }
  }
}
