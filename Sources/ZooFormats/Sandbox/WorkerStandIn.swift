import Foundation
import ZooCheckpoint

/// A parser that answers instead of the sandboxed worker, for tests that feed the readers what no worker would say.
package enum WorkerStandIn {
  package typealias Parser =
    @Sendable (WorkerProtocol.Task, UnsafeRawBufferPointer) -> (reply: Data, code: WorkerProtocol.ExitCode)

  @TaskLocal static var parser: Parser?

  /// Calls `body` with `parser` in the worker's place, in this task alone.
  package static func with<R>(_ parser: @escaping Parser, _ body: () throws -> R) rethrows -> R {
    try $parser.withValue(parser, operation: body)
  }
}
