import ZooCheckpoint

/// Failures of one command over several things, of which none keeps the others from being done.
struct Failures: ReportableErrors {
  private(set) var reports: [ErrorReport] = []

  /// Notes a failure that can be told; throws any other.
  mutating func catching(_ work: () throws -> Void) throws {
    do { try work() } catch let error as any ReportableError { reports.append(error.report) }
  }

  /// - Throws: itself where anything failed.
  func finish() throws { if !reports.isEmpty { throw self } }
}
