import Foundation
import ZooCheckpoint

/// A parser that answers instead of the sandboxed worker, for tests that feed the readers what no worker would say.
package enum WorkerStandIn {
  package typealias Parser = @Sendable (WorkerProtocol.Task, UnsafeRawBufferPointer) -> (reply: Data, ending: Ending)

  /// How the worker would have ended.
  package enum Ending: Sendable {
    case parsed, refused
    case killed(signal: Int32)

    /// As `waitpid` says it.
    var status: Int32 {
      switch self {
      case .parsed: WorkerProtocol.ExitCode.parsed.rawValue << 8
      case .refused: WorkerProtocol.ExitCode.refused.rawValue << 8
      case .killed(let signal): signal
      }
    }
  }

  @TaskLocal static var parser: Parser?

  /// Calls `body` with `parser` in the worker's place, in this task alone.
  package static func with<R>(_ parser: @escaping Parser, _ body: () throws -> R) rethrows -> R {
    try $parser.withValue(parser, operation: body)
  }
}
