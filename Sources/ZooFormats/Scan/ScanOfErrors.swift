import ZooCheckpoint

extension ContentScan {
  /// Turns what a reader refused into a finding, by what it says of the file's maker.
  mutating func note(_ error: any Error) {
    guard let reportable = error as? any ReportableError else {
      return add(ScanFinding(.malformed, .malformed, "can't be read"))
    }
    let report = reportable.report
    func finding(_ severity: ScanFinding.Severity, _ kind: ScanFinding.Kind) -> ScanFinding {
      ScanFinding(severity, kind, place: report.place, report.problem)
    }
    switch error {
    case let error as WorkerError: note(error, finding)
    case let error as PyTorchError: note(error, finding)
    case let error as ShardError:
      switch error {
      case .unsafeShardName, .linkLeaves: add(finding(.dangerous, .outsideFile))
      default: add(finding(.malformed, .malformed))
      }
    case let error as ONNXError:
      switch error.fault {
      case .external: add(finding(.dangerous, .outsideFile))
      case .unknownDataType, .sparse: add(finding(.note, .unscannable))
      default: add(finding(.malformed, .malformed))
      }
    case let error as HDF5Error:
      switch error.fault {
      case .noTensors, .foreignFilter: add(finding(.note, .unscannable))
      default: add(finding(.malformed, .malformed))
      }
    case is PickleError: add(finding(.malformed, .brokenPickle))
    case is FormatError: add(finding(.note, .unscannable))
    case _ where report.kind == .badData: add(finding(.malformed, .malformed))
    default: add(finding(.note, .unscannable))
    }
  }

  private mutating func note(
    _ error: WorkerError, _ finding: (ScanFinding.Severity, ScanFinding.Kind) -> ScanFinding
  ) {
    switch error {
    case .crashed, .forbiddenCall, .timeLimit: add(finding(.dangerous, .parserAttack))
    case .refused(_, _, let problem) where problem.contains("zoo doesn't read"): add(finding(.note, .unscannable))
    case .refused(_, _, let problem) where problem.contains("newer than this"): unscanned(error.report)
    case .refused(_, _, let problem):
      // External links and storage make a reader open files that the attacker chose (CVE-2026-1669).
      let leadsOut = problem.contains("another file") || problem.contains("other files")
      add(finding(leadsOut ? .dangerous : .malformed, leadsOut ? .kerasOutsideFile : .malformed))
    case .badReply: add(finding(.malformed, .malformed))
    case .noProgram, .notStarted, .noSandbox: unscanned(error.report)
    }
  }

  private mutating func note(
    _ error: PyTorchError, _ finding: (ScanFinding.Severity, ScanFinding.Kind) -> ScanFinding
  ) {
    switch error.fault {
    case .noTensors, .unsupportedTensor, .unknownStorage: add(finding(.note, .unscannable))
    case .trailingBytes(let count): scanTrailing(count: count, of: error)
    default: add(finding(.malformed, .malformed))
    }
  }

  private mutating func scanTrailing(count: Int, of error: PyTorchError) {
    guard let file = try? MappedFile(path: error.file) else { return }
    _ = try? file.withBytes(offset: 0, count: file.count) { scanBehind($0, from: file.count - count, member: nil) }
  }
}
